//! What is done with each letter of a hand, as the plan has it.

use symbolon_shared::domain::reason::PoisonReason;
use symbolon_shared::domain::redrive::{Act, Canary, Disposition, Watched, plan};
use symbolon_shared::ports::redrive::RedrivePorts;

use super::{Run, WAITING_BYTES};
use crate::acts::{self, Saying};
use crate::hand::Sorted;

impl<P: RedrivePorts> Run<'_, P> {
    /// Does with each letter of a hand what the plan says.
    pub(super) async fn settle(&mut self, hand: Vec<Sorted>) {
        let cases: Vec<_> = hand.iter().map(Sorted::case).collect();
        let acts = plan(&cases, self.brake, self.canary);
        let mut ends = vec![false; hand.len()];
        let planned = || hand.iter().zip(&acts).enumerate();
        let poison: Vec<_> = planned()
            .filter_map(|(index, (one, act))| match act {
                Act::Quarantine(reason) => Some((index, one, *reason)),
                _ => None,
            })
            .collect();
        self.quarantine(&poison, &mut ends).await;
        for (index, (one, act)) in planned() {
            if let (Act::Forget, Some(reason)) = (act, one.kept_for()) {
                self.count_quarantined(reason);
                ends[index] = true;
            }
        }
        let going: Vec<_> = planned()
            .filter(|(_, (_, act))| matches!(act, Act::Canary | Act::SendBack))
            .map(|(index, (one, act))| (index, one, *act == Act::Canary))
            .collect();
        self.send_back(&going, &mut ends).await;
        self.part(hand, &acts, &ends).await;
    }

    async fn quarantine(&mut self, poison: &[(usize, &Sorted, PoisonReason)], ends: &mut [bool]) {
        if self.report.dry_run {
            for (index, _, reason) in poison {
                self.count_quarantined(*reason);
                ends[*index] = true;
            }
            return;
        }
        let said = Saying {
            region: &self.conduct.region,
            now: self.now(),
        };
        let letters = poison.iter().filter_map(|(index, one, reason)| {
            let known = one.known.as_ref()?;
            Some((*index, &known.letter, *reason))
        });
        let source = &self.queue.source;
        let put = acts::quarantine(self.ports, letters.collect(), source, &said, &mut self.tally).await;
        for (index, there) in put {
            ends[index] = there;
        }
        for (index, _, reason) in poison {
            if ends[*index] {
                self.count_quarantined(*reason);
            }
        }
    }

    fn count_quarantined(&mut self, reason: PoisonReason) {
        *self.report.quarantined.entry(reason).or_default() += 1;
    }

    async fn send_back(&mut self, going: &[(usize, &Sorted, bool)], ends: &mut [bool]) {
        let envelopes = going.iter().filter_map(|(index, one, canary)| {
            let transient = one.transient()?;
            Some(((*index, *one, *canary), transient.envelope.to_json()))
        });
        let (going, envelopes): (Vec<_>, Vec<String>) = envelopes.unzip();
        if envelopes.is_empty() {
            return;
        }
        let taken = if self.report.dry_run {
            vec![true; envelopes.len()]
        } else {
            let now = self.now();
            let wait = self.pace.wait(envelopes.len(), now);
            if !wait.is_zero() {
                (self.around.sleep)(wait).await;
            }
            acts::send_back(self.ports, &self.queue.source_url, &envelopes).await
        };
        for ((index, one, canary), taken) in going.into_iter().zip(taken) {
            // A canary of which it is not known whether it went cannot be told from one that did not.
            if !taken {
                continue;
            }
            ends[index] = true;
            self.report.sent_back += 1;
            self.note_sent(one);
            if canary {
                self.report.canaries += 1;
                self.watch(one);
            }
        }
    }

    fn note_sent(&mut self, one: &Sorted) {
        if let (Some(known), Some(transient)) = (&one.known, one.transient()) {
            let cycles = self.sent.entry(known.letter.identity).or_default();
            *cycles = transient.envelope.cycles.max(*cycles);
        }
    }

    fn watch(&mut self, one: &Sorted) {
        let (Some(known), Some(transient)) = (&one.known, one.transient()) else {
            return;
        };
        self.canary = Canary::Out;
        self.watched.push(Watched {
            identity: known.letter.identity,
            cycles: transient.envelope.cycles,
            orders: one.orders.clone(),
        });
    }

    /// Lets go of a hand: deletes what is elsewhere now, and keeps the rest until the canary was heard of, or for good.
    async fn part(&mut self, hand: Vec<Sorted>, acts: &[Act], ends: &[bool]) {
        let mut gone = Vec::new();
        for ((one, act), elsewhere) in hand.into_iter().zip(acts).zip(ends) {
            let may_follow = one.case().disposition == Disposition::Transient && *act == Act::Leave;
            if *elsewhere && !self.report.dry_run {
                gone.push(one.receipt);
            } else if *elsewhere {
                self.held.push(one.receipt);
            } else if may_follow && self.may_wait() {
                self.waiting_bytes += one.bytes();
                self.waiting.push(one);
            } else {
                self.tally.held_back += u64::from(may_follow);
                self.report.left += 1;
                self.held.push(one.receipt);
            }
        }
        if !gone.is_empty() {
            self.tally.undeleted += acts::delete(self.ports, &self.queue.dead_letter_url, gone).await;
        }
    }

    /// Whether a letter may yet follow the canary, and there is room for it.
    fn may_wait(&self) -> bool {
        let open = matches!(self.canary, Canary::Wanted | Canary::Out);
        open && self.brake.is_none() && self.waiting_bytes < WAITING_BYTES
    }

    pub(super) fn hold(&mut self, one: Sorted) {
        self.report.left += 1;
        self.tally.held_back += 1;
        self.held.push(one.receipt);
    }
}
