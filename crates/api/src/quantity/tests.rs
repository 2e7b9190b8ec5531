use super::{Quantity, QuantityError};

#[track_caller]
fn canonical(text: &str, expected: &str) {
    assert_eq!(text.parse::<Quantity>().unwrap().to_string(), expected);
}

#[test]
fn prints_the_largest_whole_unit() {
    canonical("10Gi", "10Gi");
    canonical("1024Mi", "1Gi");
    canonical("1.5Gi", "1536Mi");
    canonical("0.5Ki", "512");
    canonical("10240Mi", "10Gi");
    canonical("1000", "1k");
    canonical("1500m", "1500m");
    canonical("0.1", "100m");
    canonical("2000M", "2G");
    canonical("1e3", "1e3");
    canonical("5E", "5E");
    canonical("0", "0");
    canonical("-5Mi", "-5Mi");
}

#[test]
fn spellings_of_an_amount_are_equal() {
    let amount = |text: &str| text.parse::<Quantity>().unwrap();
    assert_eq!(amount("1024Mi"), amount("1Gi"));
    assert!(amount("1G") < amount("1Gi"));
    assert_eq!(amount("8Gi").whole(), 8 << 30);
    assert_eq!(amount("1500m").whole(), 2);
    assert_eq!(Quantity::gibibytes(8), amount("8Gi"));
}

#[test]
fn an_unknown_unit_says_what_was_meant() {
    let error = "10Gb".parse::<Quantity>().unwrap_err();
    assert_eq!(error.to_string(), "unknown unit `Gb` in `10Gb`");
    assert_eq!(error.fix(), "did you mean `10Gi` or `10G`?");
    assert_eq!(
        "10 kB".parse::<Quantity>().unwrap_err().fix(),
        "did you mean `10Ki` or `10k`?"
    );
}

#[test]
fn nonsense_is_refused() {
    for text in ["", "Gi", "1.2.3", "--1", "10x", "1e", "."] {
        assert!(text.parse::<Quantity>().is_err(), "`{text}` was accepted");
    }
    assert!(matches!(
        "9999999999Ei".parse::<Quantity>(),
        Err(QuantityError::TooLarge(_))
    ));
    let long = "9".repeat(100);
    assert!(long.parse::<Quantity>().is_err());
}
