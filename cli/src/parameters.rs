//! `parameters`: the predefined match parameters of a symbol.

use serde_json::{Value, json};
use symbolon_shared::domain::identifiers::Symbol;
use symbolon_shared::domain::parameters::{InvalidParameters, MatchParameters, PricePolicy, SecurityId};
use symbolon_shared::onboarding::{OnboardingError, put_parameters};
use symbolon_shared::ports::ParameterStore as _;

use crate::arguments::{ParametersCommand, ParametersSet};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::print::Printer;
use crate::settings::Settings;

const NEEDED: &[&str] = &["ParametersTable"];

pub(crate) async fn run(
    command: ParametersCommand,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    match command {
        ParametersCommand::Set(wanted) => set(wanted, settings, printer).await,
        ParametersCommand::Get { symbol } => get(&symbol, settings, printer).await,
    }
}

async fn set(wanted: ParametersSet, settings: &Settings, printer: &mut Printer) -> Result<(), Failure> {
    let wanted = checked(wanted)?;
    let deployment = Deployment::primary(settings).await?;
    let ports = deployment.ports(NEEDED)?;
    let doing = "set match parameters";
    let put = put_parameters(&ports, &wanted)
        .await
        .map_err(|error| match error {
            OnboardingError::Port(error) => deployment.explain_to_staff(&error, doing),
            other => Failure::new(format!("cannot {doing}"))
                .because(other.to_string())
                .advice("run it again"),
        })?;
    show(&put, printer)?;
    if !printer.is_json() {
        printer.line("In force within half a minute.")?;
    }
    Ok(())
}

fn checked(wanted: ParametersSet) -> Result<MatchParameters, Failure> {
    let pair = wanted.security_id.zip(wanted.security_id_source);
    let parameters = MatchParameters {
        symbol: wanted.symbol,
        tick: wanted.tick,
        lot: wanted.lot,
        price_policy: wanted.price_policy.into(),
        currency: wanted.currency,
        security_id: pair.map(|(id, source)| SecurityId { id, source }),
        tradable: !wanted.halt,
        version: 0,
    };
    parameters.checked().map_err(|error| {
        let option = match error {
            InvalidParameters::Tick => "--tick",
            InvalidParameters::Lot => "--lot",
            InvalidParameters::Currency => "--currency",
        };
        Failure::usage(format!("{option} has a value that cannot be"))
            .because(error.to_string())
            .advice("`symbolon parameters set --help` shows what it may be")
    })
}

async fn get(symbol: &Symbol, settings: &Settings, printer: &mut Printer) -> Result<(), Failure> {
    let deployment = Deployment::primary(settings).await?;
    let ports = deployment.ports(NEEDED)?;
    let read = ports.read_parameters(std::slice::from_ref(symbol)).await;
    let read = read.map_err(|error| deployment.explain_to_staff(&error, "read match parameters"))?;
    match read.first() {
        Some(parameters) => show(parameters, printer),
        None => Err(Failure::new(format!("{} has no parameters", symbol.as_str()))
            .advice("set them with `symbolon parameters set`; names are in capitals")),
    }
}

fn policy(policy: PricePolicy) -> &'static str {
    match policy {
        PricePolicy::Resting => "resting",
        PricePolicy::Midpoint => "midpoint",
    }
}

fn show(parameters: &MatchParameters, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.json(&as_json(parameters));
    }
    let mut pairs = vec![
        ("symbol", parameters.symbol.as_str().to_owned()),
        ("tick", parameters.tick.to_string()),
        ("lot", parameters.lot.to_string()),
        ("currency", parameters.currency.clone()),
        ("price policy", policy(parameters.price_policy).to_owned()),
    ];
    if let Some(security) = &parameters.security_id {
        pairs.push((
            "security id",
            format!("{} (source {})", security.id, security.source),
        ));
    }
    let state = if parameters.tradable { "tradable" } else { "halted" };
    pairs.push(("state", printer.mood(state, parameters.tradable)));
    pairs.push(("version", parameters.version.to_string()));
    printer.pairs(&pairs)
}

fn as_json(parameters: &MatchParameters) -> Value {
    let mut object = json!({
        "symbol": parameters.symbol,
        "tick": parameters.tick,
        "lot": parameters.lot,
        "currency": parameters.currency,
        "pricePolicy": policy(parameters.price_policy),
        "tradable": parameters.tradable,
        "version": parameters.version,
    });
    if let Some(security) = &parameters.security_id {
        object["securityId"] = security.id.as_str().into();
        object["securityIdSource"] = security.source.as_str().into();
    }
    object
}
