//! DynamoDB, SQS, KMS and S3 inside this process, on loopback ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;
use winterbaume_core::MockService;
use winterbaume_kms::KmsService;
use winterbaume_s3::S3Service;
use winterbaume_sqs::SqsService;

use super::buckets::Buckets;
use super::bus::Bus;
use super::clients::Endpoints;
use super::front::Front;
use super::functions::Functions;
use super::requests::Requests;
use super::signatures::Signatures;
use super::stamps::Stamps;

/// How long a request that is still running may hold up the end.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

/// Why the emulators do not start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The loopback port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port; 0 for any.
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },
    /// DynamoDB's memory cannot be had.
    #[error("cannot open the in-memory database: {reason}")]
    Database {
        /// What the emulator says.
        reason: String,
    },
}

/// The running emulators. They end with [`Emulators::shut_down`], or when this is dropped.
#[derive(Debug)]
pub struct Emulators {
    endpoints: Endpoints,
    stamps: Arc<Stamps>,
    requests: Arc<Requests>,
    bus: Arc<Bus>,
    functions: Arc<Functions>,
    end: watch::Sender<bool>,
    servers: JoinSet<()>,
}

impl Emulators {
    /// Starts them; the front listens on `port` of 127.0.0.1, or on any free one if it is 0.
    ///
    /// # Errors
    ///
    /// The port is taken, or there is no memory for the database.
    pub async fn start(port: u16, region: &str) -> Result<Self, EmulatorError> {
        Self::start_with(port, region, Arc::new(SqsService::new())).await
    }

    pub(super) async fn start_with(
        port: u16,
        region: &str,
        sqs: Arc<dyn MockService>,
    ) -> Result<Self, EmulatorError> {
        let (end, ended) = watch::channel(false);
        let mut servers = JoinSet::new();
        let dynamodb = start_dynamodb(&mut servers, ended.clone()).await?;
        let (listener, address) = listen(port).await?;
        let endpoints = Endpoints {
            front: format!("http://{address}"),
            dynamodb: format!("http://{dynamodb}"),
            region: region.to_owned(),
        };
        let stamps = Arc::new(Stamps::default());
        let requests = Arc::new(Requests::default());
        let bus = Arc::new(Bus::default());
        let functions = Arc::new(Functions::default());
        let front = Front {
            endpoint: endpoints.front.clone(),
            dynamodb: dynamodb.to_string(),
            to_dynamodb: Client::builder(TokioExecutor::new()).build_http(),
            sqs,
            kms: KmsService::new(),
            signatures: Signatures::default(),
            buckets: Buckets::new(S3Service::new()),
            stamps: Arc::clone(&stamps),
            requests: Arc::clone(&requests),
            bus: Arc::clone(&bus),
            functions: Arc::clone(&functions),
            sending: RwLock::new(()),
        };
        servers.spawn(async move {
            if let Err(error) = axum::serve(listener, front.router())
                .with_graceful_shutdown(end_of(ended))
                .await
            {
                tracing::error!(%error, "the front of the emulators stopped");
            }
        });
        Ok(Self {
            endpoints,
            stamps,
            requests,
            bus,
            functions,
            end,
            servers,
        })
    }

    /// Where they listen.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Who sent which message, and when.
    #[must_use]
    pub fn stamps(&self) -> &Arc<Stamps> {
        &self.stamps
    }

    /// Who asked for what at the front.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// What was said on the event bus.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The functions that are invoked here by name.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Ends them; requests that are still running have a moment to finish.
    pub async fn shut_down(mut self) {
        self.end.send_replace(true);
        let finished = async { while self.servers.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_REQUESTS, finished).await.is_err() {
            self.servers.shutdown().await;
        }
    }
}

async fn start_dynamodb(
    servers: &mut JoinSet<()>,
    ended: watch::Receiver<bool>,
) -> Result<SocketAddr, EmulatorError> {
    let database = dynoxide::Database::memory().map_err(|error| EmulatorError::Database {
        reason: error.to_string(),
    })?;
    let (listener, address) = listen(0).await?;
    servers.spawn(async move {
        if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, end_of(ended)).await {
            tracing::error!(error, "the DynamoDB emulator stopped");
        }
    });
    Ok(address)
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), EmulatorError> {
    let failed = |source| EmulatorError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Resolves when the end is asked for, or when nobody is left to ask for it.
async fn end_of(mut ended: watch::Receiver<bool>) {
    let _nobody_left = ended.wait_for(|ended| *ended).await;
}
