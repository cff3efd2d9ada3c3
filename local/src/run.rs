//! One run: a deployment, a replay on it, and what came of it.

use std::collections::BTreeSet;

use symbolon_shared::domain::parameters::{MatchParameters, PricePolicy};

use crate::audit::Audit;
use crate::deployment::{Deployment, DeploymentError, now};
use crate::gather;
use crate::order_flow::OrderFlow;
use crate::order_flow::plan::Disorder;
use crate::process::ProcessOptions;
use crate::progress::Progress;
use crate::replay::replay;
use crate::report::{Picture, Report};

/// The parameters under which a flow is traded: the file's tick and lot, the resting interest's price.
#[must_use]
pub fn parameters(flow: &OrderFlow) -> MatchParameters {
    MatchParameters {
        symbol: flow.symbol.clone(),
        tick: flow.tick,
        lot: flow.lot,
        price_policy: PricePolicy::Resting,
        currency: flow.currency.to_owned(),
        security_id: None,
        tradable: true,
        version: 1,
    }
}

/// Everybody whom a flow names.
#[must_use]
pub fn named_in(flow: &OrderFlow) -> BTreeSet<u32> {
    flow.events.iter().map(|event| event.counterparty).collect()
}

/// Stands a deployment up, replays `flow` on it, and judges what it left behind. `counterparties` take part, and 0
/// beside them where the flow names it.
///
/// # Errors
/// [`DeploymentError`] when the deployment does not stand or the replay cannot go on. A broken invariant is no error: it is
/// in the report.
pub async fn run(
    mut flow: OrderFlow,
    source: &str,
    counterparties: u32,
    disorder: &Disorder,
    progress: &Progress,
) -> Result<(Report, Picture), DeploymentError> {
    let numbers: BTreeSet<u32> = (1..=counterparties).chain(named_in(&flow)).collect();
    let deployment = Deployment::start(0, numbers, vec![parameters(&flow)]).await?;
    flow.shift_to(now().as_millis());
    let mut process = deployment.process(&ProcessOptions::undisturbed())?;
    let mut audit = Audit::start(deployment.stack(), disorder)?;
    let replayed = replay(&deployment, &mut process, &mut audit, &flow, disorder, progress).await?;
    let aws = deployment.counts();
    let evidence = gather::evidence(&deployment, &replayed, now()).await?;
    let audit = audit
        .report(deployment.stack().bus(), evidence.matches.len() as u64)
        .await?;
    let report = gather::report(&flow, &replayed, &evidence, aws, audit);
    let picture = gather::picture(source, &flow, &deployment, &evidence);
    deployment.shut_down().await;
    Ok((report, picture))
}
