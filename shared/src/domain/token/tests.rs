use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::ZeroizeOnDrop;

use super::*;
use crate::domain::decimal::Quantity;
use crate::domain::identifiers::{ClOrdId, OrderKey};
use crate::domain::message_id::MessageId;
use crate::domain::time::Timestamp;

/// Written by `compute.py` beside it, which shares no code with this crate.
const VECTORS: &str = include_str!("../../../tests/vectors/token_v1.json");

fn vectors(of: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let list = all[of].as_array().unwrap().clone();
    assert!(!list.is_empty());
    list
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

fn bytes<const N: usize>(vector: &Value, name: &str) -> [u8; N] {
    let bytes = HEXLOWER.decode(text(vector, name).as_bytes()).unwrap();
    bytes.try_into().unwrap()
}

fn leg(vector: &Value) -> PartyLeg {
    // Amounts computed inside may have more digits than the contract lets in.
    let quantity = |name| Quantity::from_decimal(text(vector, name).parse().unwrap()).unwrap();
    PartyLeg {
        order: OrderKey::new(
            CounterpartyId::new(text(vector, "owner")).unwrap(),
            ClOrdId::new(text(vector, "clOrdId")).unwrap(),
        ),
        cum_qty: quantity("cumQty"),
        leaves_qty: quantity("leavesQty"),
        cxl_qty: quantity("cxlQty"),
    }
}

fn parties_of(vector: &Value) -> Parties {
    Parties {
        buyer: leg(&vector["buyer"]),
        seller: leg(&vector["seller"]),
    }
}

fn epoch_key(data_key: [u8; 32], epoch: &str) -> EpochKey {
    EpochKey::derive(EpochId::parse(epoch).unwrap(), DataKey::new(data_key))
}

fn key_of(vector: &Value) -> EpochKey {
    epoch_key(bytes(vector, "dataKey"), text(vector, "epoch"))
}

fn some_key() -> EpochKey {
    epoch_key([7; 32], "2026-11-23.g7")
}

mod frozen {
    use super::*;

    #[test]
    fn tokens() {
        for vector in vectors("matches") {
            let key = key_of(&vector);
            let match_id = MatchId::from_random(bytes(&vector, "matchId"));
            let parties = parties_of(&vector);
            for (side, leg, expected) in [
                (Side::Buy, &parties.buyer, text(&vector, "buyerToken")),
                (Side::Sell, &parties.seller, text(&vector, "sellerToken")),
            ] {
                let token = key.token(match_id, side, &leg.order.owner);
                assert_eq!(token.encode(), expected);
                assert!(key.verify(&Token::parse(expected).unwrap(), side, &leg.order.owner));
            }
        }
    }

    #[test]
    fn commitments() {
        for vector in vectors("matches") {
            let buyer = Token::parse(text(&vector, "buyerToken")).unwrap();
            let seller = Token::parse(text(&vector, "sellerToken")).unwrap();
            assert_eq!(
                Commitment::of(&buyer, &seller).encode(),
                text(&vector, "commitment")
            );
        }
    }

    #[test]
    fn sealed_parties() {
        for vector in vectors("matches") {
            let key = key_of(&vector);
            let match_id = MatchId::from_random(bytes(&vector, "matchId"));
            let parties = parties_of(&vector);
            let stored = SealedParties::parse(text(&vector, "sealed")).unwrap();
            let sealed = key.seal(match_id, &parties, bytes(&vector, "nonce"));
            assert_eq!(sealed.encode(), stored.encode());
            assert_eq!(key.open(match_id, &stored), Ok(parties));
        }
    }

    #[test]
    fn message_ids() {
        for vector in vectors("messageIds") {
            let body_hash = HEXLOWER.decode(text(&vector, "bodyHash").as_bytes()).unwrap();
            let id = MessageId::of(
                text(&vector, "type"),
                &CounterpartyId::new(text(&vector, "owner")).unwrap(),
                text(&vector, "clOrdId"),
                &body_hash,
                text(&vector, "reason"),
                text(&vector, "token"),
            );
            assert_eq!(id.encode(), text(&vector, "messageId"));
            assert_eq!(MessageId::parse(&id.encode()), Ok(id));
        }
    }
}

mod secrecy {
    use super::*;

    /// Compiles only while none of the traits is implemented: one that is makes a second candidate for `_`.
    macro_rules! assert_lacks {
        ($type:ty: $($banned:path),+) => {$({
            trait Lacks<Marker> {
                fn holds() {}
            }
            struct Banned;
            impl<T: ?Sized> Lacks<()> for T {}
            impl<T: ?Sized + $banned> Lacks<Banned> for T {}
            <$type as Lacks<_>>::holds();
        })+};
    }

    #[test]
    fn keys_cannot_be_copied_compared_stored_or_shown() {
        assert_lacks!(DataKey: Clone, Copy, PartialEq, serde::Serialize, std::fmt::Display, AsRef<[u8]>);
        assert_lacks!(EpochKey: Clone, Copy, PartialEq, serde::Serialize, std::fmt::Display, AsRef<[u8]>);
        assert_lacks!(Token: Copy, std::fmt::Display);
        assert_lacks!(MatchId: std::fmt::Display);
        assert_lacks!(Parties: serde::Serialize, std::fmt::Display);
    }

    #[test]
    fn keys_are_wiped_when_dropped() {
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<DataKey>();
        wiped::<EpochKey>();
    }

    #[test]
    fn debug_shows_the_type_alone() {
        let vector = &vectors("matches")[0];
        let key = key_of(vector);
        let parties = parties_of(vector);
        let match_id = MatchId::from_random(bytes(vector, "matchId"));
        let token = key.token(match_id, Side::Buy, &parties.buyer.order.owner);
        let message_id = MessageId::of("match", &parties.buyer.order.owner, "A-1", &[], "", "");
        let sealed = key.seal(match_id, &parties, [0; 12]);
        for (shown, name) in [
            (format!("{:?}", DataKey::new([1; 32])), "DataKey"),
            (format!("{key:?}"), "EpochKey"),
            (format!("{match_id:?}"), "MatchId"),
            (format!("{token:?}"), "Token"),
            (format!("{:?}", Commitment::of(&token, &token)), "Commitment"),
            (format!("{:?}", parties.buyer), "PartyLeg"),
            (format!("{parties:?}"), "Parties"),
            (format!("{sealed:?}"), "SealedParties"),
            (format!("{message_id:?}"), "MessageId"),
        ] {
            assert_eq!(shown, name);
        }
    }

    #[test]
    fn errors_name_what_was_expected_and_not_what_came() {
        let wrong = "nbswy3dpeb3w64tmmqqgs3tuob";
        for error in [
            Token::parse(wrong).unwrap_err(),
            MatchId::parse(&wrong[1..]).unwrap_err(),
            Commitment::parse(wrong).unwrap_err(),
            EpochId::parse(wrong).unwrap_err(),
            MessageId::parse(&wrong[1..]).unwrap_err(),
            SealedParties::parse(&wrong[1..]).unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains(&wrong[1..]));
        }
    }
}

mod data_keys {
    use super::*;

    #[test]
    fn have_32_bytes() {
        assert!(DataKey::try_from(vec![1; 32]).is_ok());
        for length in [0, 16, 31, 33, 64] {
            let refused = DataKey::try_from(vec![1; length]).unwrap_err();
            assert_eq!(refused, InvalidDataKey { length });
        }
    }

    #[test]
    fn are_the_same_either_way() {
        let epoch = EpochId::parse("2026-11-23.g7").unwrap();
        let owner = CounterpartyId::new("cp-alpha").unwrap();
        let key = EpochKey::derive(epoch, DataKey::try_from(vec![7; 32]).unwrap());
        let token = some_key().token(MatchId([1; 16]), Side::Buy, &owner);
        assert!(key.verify(&token, Side::Buy, &owner));
        assert_eq!(key.epoch(), epoch);
    }
}

mod epochs {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn are_named_by_day_and_generation() {
        let epoch = EpochId::new(at("2026-11-23T23:59:59.999Z"), 7);
        assert_eq!(epoch.encode(), "2026-11-23.g7");
        assert_eq!(epoch.to_string(), "2026-11-23.g7");
        assert_eq!((epoch.day().as_str(), epoch.generation()), ("2026-11-23", 7));
        let before = at("1970-01-01T00:00:00Z").plus_days(-2);
        assert_eq!(EpochId::new(before, 0).encode(), "1970-01-01.g0");
    }

    #[test]
    fn follow_the_calendar() {
        for (day, next) in [
            ("2026-12-31.g1", "2027-01-01.g1"),
            ("2028-02-28.g1", "2028-02-29.g1"),
            ("2027-02-28.g1", "2027-03-01.g1"),
        ] {
            assert_eq!(EpochId::parse(day).unwrap().next_day().encode(), next);
        }
    }

    #[test]
    fn cover_their_day_to_the_millisecond() {
        let epoch = EpochId::parse("2026-11-23.g7").unwrap();
        assert!(epoch.covers(at("2026-11-23T00:00:00Z")));
        assert!(epoch.covers(at("2026-11-23T23:59:59.999Z")));
        assert!(!epoch.covers(at("2026-11-22T23:59:59.999Z")));
        assert!(!epoch.covers(at("2026-11-24T00:00:00Z")));
    }

    #[test]
    fn have_one_text_each() {
        for wrong in [
            "",
            "2026-11-23",
            "2026-11-23.g",
            "2026-11-23.7",
            "2026-11-23.g07",
            "2026-11-23.g+7",
            "2026-11-23.g-7",
            "2026-11-23.g7 ",
            "2026-11-23.g18446744073709551616",
            "2026-11-31.g7",
            "2026-1-23.g7",
            "1969-12-31.g7",
            "2026-11-23.g7.g7",
            "2026-11-23T00:00:00Z.g7",
        ] {
            assert!(EpochId::parse(wrong).is_err(), "{wrong}");
        }
    }
}

/// One bit in the two that pad the last character of `text`.
fn with_padding_bit(text: &str, bit: u8) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (head, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|c| *c == last.as_bytes()[0]).unwrap();
    let padded = ALPHABET[value | usize::from(bit)];
    format!("{head}{}", char::from(padded))
}

mod forms {
    use super::*;

    #[test]
    fn have_the_length_and_alphabet_of_the_contract() {
        let token = some_key().token(MatchId([1; 16]), Side::Buy, &CounterpartyId::new("cp-a").unwrap());
        let right = token.encode();
        assert_eq!(right.len(), Token::CHARS);
        for wrong in [
            String::new(),
            right[1..].to_owned(),
            format!("{right}a"),
            format!("{right} "),
            format!(" {right}"),
            format!("{right}===="),
            right.to_uppercase(),
            format!("{}0", &right[1..]),
            format!("{} ", &right[1..]),
            // 52 bytes, and byte 26 within a character.
            format!("{}é{}", &right[..25], &right[27..]),
        ] {
            assert!(Token::parse(&wrong).is_err(), "{wrong}");
        }
        assert!(MatchId::parse(&right[..25]).is_err());
        assert!(MatchId::parse(&right).is_err());
    }

    #[test]
    fn commitments_are_64_lower_case_digits() {
        let right = "0123456789abcdef".repeat(4);
        assert_eq!(Commitment::parse(&right).unwrap().encode(), right);
        for wrong in [
            "",
            &right[1..],
            &right[2..],
            &format!("{right}00"),
            &right.to_uppercase(),
        ] {
            assert!(Commitment::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn are_read_through_the_checked_constructor() {
        let token = some_key().token(MatchId([1; 16]), Side::Buy, &CounterpartyId::new("cp-a").unwrap());
        let text = token.encode();
        assert_eq!(serde_json::to_value(&token).unwrap(), json!(text));
        assert_eq!(serde_json::from_value::<Token>(json!(text)).unwrap(), token);
        let match_id = serde_json::to_value(token.match_id()).unwrap();
        assert_eq!(match_id, json!(text[..26]));
        let bent = with_padding_bit(&text, 1);
        assert!(serde_json::from_value::<Token>(json!(bent)).is_err());
        assert!(serde_json::from_value::<MatchId>(json!(bent[26..])).is_err());
        assert!(serde_json::from_value::<MessageId>(json!(bent[26..])).is_err());
        assert!(serde_json::from_value::<Commitment>(json!(text)).is_err());
        assert!(serde_json::from_value::<EpochId>(json!("2026-11-23.g07")).is_err());
        assert!(serde_json::from_value::<SealedParties>(json!("AQ=")).is_err());
    }
}

fn any_owner() -> impl Strategy<Value = CounterpartyId> {
    "cp-[a-z0-9]{1,40}".prop_map(|id| CounterpartyId::new(id).unwrap())
}

fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    // 28 digits: what arithmetic inside may come to, not only what the contract lets in.
    (0..10_i128.pow(28), 0_u32..=28).prop_map(|(mantissa, scale)| {
        let decimal = rust_decimal::Decimal::from_i128_with_scale(mantissa, scale);
        Quantity::from_decimal(decimal).unwrap()
    })
}

fn any_leg() -> impl Strategy<Value = PartyLeg> {
    let name = "[A-Za-z0-9._:-]{1,64}".prop_map(|id| ClOrdId::new(id).unwrap());
    let quantities = (any_quantity(), any_quantity(), any_quantity());
    (any_owner(), name, quantities).prop_map(|(owner, name, (cum_qty, leaves_qty, cxl_qty))| PartyLeg {
        order: OrderKey::new(owner, name),
        cum_qty,
        leaves_qty,
        cxl_qty,
    })
}

prop_compose! {
    fn any_parties()(buyer in any_leg(), seller in any_leg()) -> Parties {
        Parties { buyer, seller }
    }
}

prop_compose! {
    fn any_key()(data_key in any::<[u8; 32]>(), at in 0..253_000_000_000_000_i64, generation: u64) -> EpochKey {
        let epoch = EpochId::new(Timestamp::from_millis(at), generation);
        EpochKey::derive(epoch, DataKey::new(data_key))
    }
}

prop_compose! {
    fn any_match_id()(bytes: [u8; 16]) -> MatchId {
        MatchId::from_random(bytes)
    }
}

proptest! {
    #[test]
    fn a_token_comes_back_and_is_verified(
        key in any_key(), id in any_match_id(), side in any_side(), owner in any_owner(),
    ) {
        let token = key.token(id, side, &owner);
        let read = Token::parse(&token.encode()).unwrap();
        prop_assert_eq!(&read, &token);
        prop_assert_eq!(read.match_id(), id);
        prop_assert_eq!(MatchId::parse(&token.encode()[..26]), Ok(id));
        prop_assert!(key.verify(&read, side, &owner));
    }

    #[test]
    fn a_token_is_of_one_owner_one_side_one_match_and_one_epoch(
        key in any_key(), other_key in any_key(), id in any_match_id(), other_id in any_match_id(),
        side in any_side(), owner in any_owner(), other_owner in any_owner(),
    ) {
        prop_assume!(owner != other_owner && id != other_id);
        let token = key.token(id, side, &owner);
        prop_assert!(!key.verify(&token, side.opposite(), &owner));
        prop_assert!(!key.verify(&token, side, &other_owner));
        prop_assert!(!other_key.verify(&token, side, &owner));
        prop_assert!(token != key.token(other_id, side, &owner));
    }

    /// The halves that carry the mac say nothing of each other either: nobody can tell that one party got both.
    #[test]
    fn no_two_appearances_share_a_mac(
        key in any_key(), id in any_match_id(), other_id in any_match_id(), owner in any_owner(),
    ) {
        prop_assume!(id != other_id);
        let mac = |id, side| key.token(id, side, &owner).encode()[26..].to_owned();
        let macs = [
            mac(id, Side::Buy), mac(id, Side::Sell), mac(other_id, Side::Buy), mac(other_id, Side::Sell),
        ];
        for (i, one) in macs.iter().enumerate() {
            prop_assert!(!macs[..i].contains(one));
        }
    }

    #[test]
    fn one_changed_character_is_refused_or_another_token(
        key in any_key(), id in any_match_id(), side in any_side(), owner in any_owner(),
        at in 0..Token::CHARS, replacement in 0_u8..128,
    ) {
        let token = key.token(id, side, &owner);
        let mut text = token.encode().into_bytes();
        prop_assume!(text[at] != replacement);
        text[at] = replacement;
        if let Ok(changed) = Token::parse(std::str::from_utf8(&text).unwrap()) {
            prop_assert!(changed != token);
            prop_assert!(!key.verify(&changed, side, &owner));
        }
    }

    #[test]
    fn padding_bits_are_zero_or_refused(id in any_match_id(), owner in any_owner(), bit in 1_u8..=3) {
        let token = some_key().token(id, Side::Buy, &owner).encode();
        let (first, second) = token.split_at(26);
        prop_assert!(MatchId::parse(&with_padding_bit(first, bit)).is_err());
        prop_assert!(Token::parse(&(with_padding_bit(first, bit) + second)).is_err());
        prop_assert!(Token::parse(&with_padding_bit(&token, bit)).is_err());
        prop_assert!(MessageId::parse(&with_padding_bit(first, bit)).is_err());
    }

    #[test]
    fn reading_any_text_is_safe_and_what_reads_is_canonical(text in "\\PC{0,60}|[a-z2-7]{52}|[a-z2-7]{26}") {
        if let Ok(token) = Token::parse(&text) {
            prop_assert_eq!(token.encode(), text.clone());
        }
        if let Ok(id) = MatchId::parse(&text) {
            prop_assert_eq!(id.encode(), text);
        }
    }

    #[test]
    fn a_commitment_fits_its_two_tokens_in_either_order_and_no_others(
        key in any_key(), id in any_match_id(), other_id in any_match_id(),
        buyer in any_owner(), seller in any_owner(),
    ) {
        prop_assume!(id != other_id);
        let (bought, sold) = (key.token(id, Side::Buy, &buyer), key.token(id, Side::Sell, &seller));
        let commitment = Commitment::of(&bought, &sold);
        prop_assert!(commitment != Commitment::of(&sold, &bought));
        prop_assert_eq!(Commitment::parse(&commitment.encode()), Ok(commitment));
        prop_assert!(commitment.fits(&bought, &sold));
        prop_assert!(commitment.fits(&sold, &bought));
        prop_assert!(!commitment.fits(&bought, &bought));
        prop_assert!(!commitment.fits(&sold, &sold));
        let strange = key.token(other_id, Side::Sell, &seller);
        prop_assert!(!commitment.fits(&bought, &strange));
        // Even a commitment made over them does not make two tokens of two matches fit.
        prop_assert!(!Commitment::of(&bought, &strange).fits(&bought, &strange));
    }

    #[test]
    fn an_epoch_comes_back(at in 0..253_000_000_000_000_i64, generation: u64) {
        let at = Timestamp::from_millis(at);
        let epoch = EpochId::new(at, generation);
        prop_assert!(epoch.covers(at));
        prop_assert!(!epoch.next_day().covers(at));
        prop_assert!(epoch < epoch.next_day());
        prop_assert_eq!(EpochId::parse(&epoch.encode()), Ok(epoch));
    }

    #[test]
    fn parties_come_back(
        key in any_key(), id in any_match_id(), parties in any_parties(), nonce: [u8; 12],
    ) {
        let sealed = key.seal(id, &parties, nonce);
        let stored = SealedParties::parse(&sealed.encode()).unwrap();
        prop_assert!(stored == sealed);
        prop_assert!(key.open(id, &stored) == Ok(parties));
    }

    #[test]
    fn parties_open_for_their_match_and_epoch_alone(
        data_key: [u8; 32], id in any_match_id(), other_id in any_match_id(),
        parties in any_parties(), nonce: [u8; 12],
    ) {
        prop_assume!(id != other_id);
        let sealed = epoch_key(data_key, "2026-11-23.g7").seal(id, &parties, nonce);
        let open = |key: EpochKey, id| key.open(id, &sealed).err();
        prop_assert_eq!(open(epoch_key(data_key, "2026-11-23.g7"), other_id), Some(SealError::Refused));
        // The same data key filed under another day or generation opens nothing.
        prop_assert_eq!(open(epoch_key(data_key, "2026-11-24.g7"), id), Some(SealError::Refused));
        prop_assert_eq!(open(epoch_key(data_key, "2026-11-23.g8"), id), Some(SealError::Refused));
    }

    #[test]
    fn one_changed_bit_of_sealed_parties_is_refused(
        id in any_match_id(), parties in any_parties(), nonce: [u8; 12], at in 0_usize..325, bit in 0_u8..8,
    ) {
        let key = some_key();
        let sealed = key.seal(id, &parties, nonce);
        let mut bytes = data_encoding::BASE64.decode(sealed.encode().as_bytes()).unwrap();
        bytes[at] ^= 1 << bit;
        let version = bytes[0];
        let changed = SealedParties::parse(&data_encoding::BASE64.encode(&bytes)).unwrap();
        let expected = if at == 0 { SealError::UnknownVersion { version } } else { SealError::Refused };
        prop_assert_eq!(key.open(id, &changed).err(), Some(expected));
    }

    #[test]
    fn the_length_of_sealed_parties_tells_nothing(id in any_match_id(), parties in any_parties()) {
        prop_assert_eq!(some_key().seal(id, &parties, [0; 12]).encode().len(), 436);
    }
}

mod sealing {
    use aes_gcm::aead::Aead as _;
    use aes_gcm::aead::Payload;
    use data_encoding::BASE64;

    use super::*;

    /// A key, a match, and its parties sealed.
    fn sealed() -> (EpochKey, MatchId, Vec<u8>) {
        let vector = &vectors("matches")[0];
        let sealed = BASE64.decode(text(vector, "sealed").as_bytes()).unwrap();
        (
            key_of(vector),
            MatchId::from_random(bytes(vector, "matchId")),
            sealed,
        )
    }

    fn open(key: &EpochKey, id: MatchId, bytes: &[u8]) -> Result<Parties, SealError> {
        key.open(id, &SealedParties::parse(&BASE64.encode(bytes)).unwrap())
    }

    #[test]
    fn cut_texts_are_refused() {
        let (key, id, whole) = sealed();
        assert!(open(&key, id, &whole).is_ok());
        for length in 0..whole.len() {
            assert_eq!(
                open(&key, id, &whole[..length]),
                Err(SealError::Refused),
                "{length}"
            );
        }
    }

    #[test]
    fn other_versions_are_named() {
        let (key, id, mut bytes) = sealed();
        for version in [0, 2, 255] {
            bytes[0] = version;
            assert_eq!(open(&key, id, &bytes), Err(SealError::UnknownVersion { version }));
        }
    }

    #[test]
    fn the_parties_cannot_be_read_without_the_key() {
        let (_, _, bytes) = sealed();
        for clear in ["cp-alpha", "cp-beta", "B:2_x.y"] {
            assert!(!bytes.windows(clear.len()).any(|w| w == clear.as_bytes()));
        }
    }

    /// Trailing zeros that arithmetic leaves behind are not sealed: one content, one plaintext.
    #[test]
    fn equal_quantities_are_sealed_alike() {
        let vector = &vectors("matches")[0];
        let mut parties = parties_of(vector);
        let quantity = |text| Quantity::parse(text).unwrap();
        parties.buyer.leaves_qty = quantity("1.25").plus(quantity("0.75"));
        let computed = some_key().seal(MatchId([1; 16]), &parties, [0; 12]);
        parties.buyer.leaves_qty = quantity("2");
        assert!(computed == some_key().seal(MatchId([1; 16]), &parties, [0; 12]));
    }

    /// What holds the key but writes another layout is told apart from what does not hold it.
    #[test]
    fn another_layout_under_the_right_key_is_unreadable() {
        let (key, id, whole) = sealed();
        let cipher = key.sealing_cipher();
        let nonce: [u8; 12] = whole[1..13].try_into().unwrap();
        let payload = Payload {
            msg: &whole[13..],
            aad: &id.0,
        };
        let plaintext = cipher.decrypt(&nonce.into(), payload).unwrap();
        let reseal = |plaintext: &[u8]| {
            let payload = Payload {
                msg: plaintext,
                aad: &id.0,
            };
            [
                &[1],
                nonce.as_slice(),
                &cipher.encrypt(&nonce.into(), payload).unwrap(),
            ]
            .concat()
        };
        assert!(open(&key, id, &reseal(&plaintext)).is_ok());

        let with = |at: usize, byte: u8| {
            let mut changed = plaintext.clone();
            changed[at] = byte;
            changed
        };
        let last = plaintext.len() - 1;
        for (what, other) in [
            ("nothing", Vec::new()),
            ("one byte less", plaintext[..last].to_vec()),
            ("one byte more", [plaintext.as_slice(), &[0]].concat()),
            ("padding", with(last, 1)),
            ("no counterparty id", with(1, b'C')),
            ("a length beyond the end", with(0, 255)),
            // Owner (1 + 8), clOrdId (1 + 3), 12 bytes of digits: then the places.
            ("more places than a decimal has", with(25, 29)),
        ] {
            assert_eq!(
                open(&key, id, &reseal(&other)),
                Err(SealError::Unreadable),
                "{what}"
            );
        }
    }
}
