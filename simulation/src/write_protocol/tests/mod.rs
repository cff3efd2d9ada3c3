//! The search itself.

mod as_designed;
mod faulty;
mod planted;

use std::collections::BTreeSet;

use stateright::{Checker, Model};
use tokio::time::Instant;

use super::invariants::{INVARIANTS, Invariant};
use super::scenario::Scenario;
use super::state::{Action, State, WriteProtocol};
use super::variant::Variant;

/// What a whole search found.
struct Searched {
    /// The invariants that some state breaks.
    broken: BTreeSet<&'static str>,
    /// The sights that no state shows.
    unseen: BTreeSet<&'static str>,
}

/// Searches every state, and prints how many there are.
fn search(scenario: Scenario, variant: Variant) -> Searched {
    let (name, faults) = (scenario.name, scenario.faults);
    let sights: BTreeSet<_> = scenario.sees.iter().map(|sight| sight.name).collect();
    let begun = Instant::now();
    let checker = WriteProtocol::new(scenario, variant).checker().spawn_bfs().join();
    println!(
        "{name}, {variant:?}: {} states, {} steps, the longest path {}, {:.1} s; at most {faults:?}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        begun.elapsed().as_secs_f32(),
    );
    let found: BTreeSet<_> = checker.discoveries().into_keys().collect();
    Searched {
        broken: found.difference(&sights).copied().collect(),
        unseen: sights.difference(&found).copied().collect(),
    }
}

fn invariant(name: &str) -> Invariant {
    INVARIANTS
        .into_iter()
        .find(|invariant| invariant.name == name)
        .unwrap()
}

/// A shortest way to break an invariant: judged alone, the search by breadth ends where it is broken first.
fn shortest(scenario: Scenario, variant: Variant, broken: &str) -> Option<Vec<Action>> {
    let model = WriteProtocol {
        judged: vec![invariant(broken)],
        scenario: Scenario {
            sees: Vec::new(),
            ..scenario
        },
        variant,
    };
    let path = model
        .checker()
        .spawn_bfs()
        .join()
        .discoveries()
        .into_values()
        .next();
    path.map(stateright::Path::into_actions)
}

fn shown(path: &[Action]) -> String {
    let lines: Vec<String> = path.iter().map(|action| format!("  {action:?}")).collect();
    lines.join("\n")
}

/// The state after one message after the other was delivered and done, with nothing going wrong.
fn in_good_weather(model: &WriteProtocol) -> State {
    let mut state = model.init_states().remove(0);
    while !state.is_at_rest() {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        state = model.next_state(&state, actions[0]).unwrap();
    }
    state
}
