//! A bootstrap reduced to its calls.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(50);
const DEADLINE: i64 = 1_796_140_800_123;

struct Bootstrap {
    http: Client<HttpConnector, Body>,
    api: String,
}

struct Heard {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn request_id(&self) -> &str {
        self.header("lambda-runtime-aws-request-id")
    }
}

impl Bootstrap {
    fn of(api: &RuntimeApi) -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            api: format!("http://{}/2018-06-01/runtime", api.address()),
        }
    }

    async fn call(&self, method: Method, path: &str, body: &'static str) -> Heard {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.api))
            .header(ERROR_TYPE, "Test.Kind")
            .body(Body::from(body))
            .unwrap();
        let response = self.http.request(request).await.unwrap();
        Heard {
            status: response.status(),
            headers: response.headers().clone(),
            body: to_bytes(Body::new(response.into_body()), ANSWER_BYTES)
                .await
                .unwrap(),
        }
    }

    async fn next(&self) -> Heard {
        self.call(Method::GET, "invocation/next", "").await
    }

    async fn answer(&self, id: &str, kind: &str, body: &'static str) -> StatusCode {
        let path = format!("invocation/{id}/{kind}");
        self.call(Method::POST, &path, body).await.status
    }
}

#[tokio::test]
async fn an_event_reaches_the_function_and_its_answer_comes_back() {
    let api = RuntimeApi::start().await.unwrap();
    let bootstrap = Bootstrap::of(&api);
    let event = json!({"Records": []});
    let function = async {
        let heard = bootstrap.next().await;
        assert_eq!(heard.status, StatusCode::OK);
        assert_eq!(heard.header("lambda-runtime-deadline-ms"), DEADLINE.to_string());
        assert_eq!(heard.body, event.to_string());
        let answered = bootstrap.answer(heard.request_id(), "response", r#"{"ok":1}"#);
        assert_eq!(answered.await, StatusCode::ACCEPTED);
        let again = bootstrap.answer(heard.request_id(), "response", "{}").await;
        assert_eq!(again, StatusCode::BAD_REQUEST, "it has been answered");
    };
    let (answer, ()) = tokio::join!(api.invoke(&event, DEADLINE, PATIENCE), function);
    assert_eq!(answer, Ok(json!({"ok": 1})));
    assert_eq!(api.polls(), 1);
}

#[tokio::test]
async fn each_invocation_has_an_id_of_its_own_and_an_answer_under_another_is_refused() {
    let api = RuntimeApi::start().await.unwrap();
    let bootstrap = Bootstrap::of(&api);
    let function = async {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let id = bootstrap.next().await.request_id().to_owned();
            assert_eq!(
                bootstrap.answer("another", "response", "1").await,
                StatusCode::BAD_REQUEST
            );
            assert_eq!(bootstrap.answer(&id, "response", "2").await, StatusCode::ACCEPTED);
            ids.push(id);
        }
        assert_ne!(ids[0], ids[1]);
    };
    let caller = async {
        for _ in 0..2 {
            assert_eq!(api.invoke(&json!(0), DEADLINE, PATIENCE).await, Ok(json!(2)));
        }
    };
    tokio::join!(caller, function);
}

#[tokio::test]
async fn what_the_function_says_of_its_failures_is_heard() {
    let api = RuntimeApi::start().await.unwrap();
    let bootstrap = Bootstrap::of(&api);
    for (kind, body, expected) in [
        (
            "error",
            "no luck",
            InvocationError::Failed("Test.Kind: no luck".to_owned()),
        ),
        ("response", "not JSON", InvocationError::NotJson),
    ] {
        let function = async {
            let id = bootstrap.next().await.request_id().to_owned();
            bootstrap.answer(&id, kind, body).await
        };
        let event = json!({});
        let (answer, status) = tokio::join!(api.invoke(&event, DEADLINE, PATIENCE), function);
        assert_eq!((answer, status), (Err(expected), StatusCode::ACCEPTED));
    }
}

#[tokio::test]
async fn a_function_that_cannot_start_says_so_before_it_polls() {
    let api = RuntimeApi::start().await.unwrap();
    let said = Bootstrap::of(&api)
        .call(Method::POST, "init/error", "no settings")
        .await;
    assert_eq!(said.status, StatusCode::ACCEPTED);
    assert_eq!(
        api.first_poll(PATIENCE).await,
        Err(InvocationError::Init("Test.Kind: no settings".to_owned()))
    );
}

#[tokio::test]
async fn the_first_poll_is_waited_for_and_its_moment_kept() {
    let api = RuntimeApi::start().await.unwrap();
    assert_eq!(api.first_poll(SHORT).await, Err(InvocationError::Silence(SHORT)));
    let before = Instant::now();
    let bootstrap = Bootstrap::of(&api);
    let (polled, ended) = tokio::join!(
        async {
            let at = api.first_poll(PATIENCE).await;
            api.end();
            at
        },
        bootstrap.next()
    );
    assert!(polled.clone().unwrap() >= before);
    assert_eq!(ended.status, StatusCode::GONE);
    bootstrap.next().await;
    assert_eq!((api.polls(), api.first_poll(SHORT).await), (2, polled));
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let api = RuntimeApi::start().await.unwrap();
    let silence = Err(InvocationError::Silence(SHORT));
    assert_eq!(api.invoke(&json!({}), DEADLINE, SHORT).await, silence);
}
