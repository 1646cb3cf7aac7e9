//! What a claim means, and what is said of one that means nothing.

use proptest::prelude::*;

use super::*;

fn value(text: &str) -> Result<f64, String> {
    let resolve = |reference: &Reference<'_>| match reference {
        Reference::Name("sci") => Ok(8.0),
        Reference::Name("baseline") => Ok(10.0),
        Reference::Name("start_s.boot_mean") => Ok(0.5),
        Reference::Name("keep-alive") => Ok(60.0),
        Reference::Name("latency_s.p99") => Ok(f64::NAN),
        Reference::Call { name: "sci", arguments } => match arguments[0].word().as_deref() {
            Some("vm") => Ok(3.0),
            Some("my run") => Ok(4.0),
            Some("60") => Ok(5.0),
            _ => Err("no such result".to_owned()),
        },
        other => Err(format!("{other} is not known")),
    };
    Expression::parse(text).expect(text).value(&resolve)
}

#[test]
fn products_bind_more_tightly_than_sums_and_equals_go_from_left_to_right() {
    for (text, wanted) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("7 - 4 - 2", 1.0),
        ("7 - (4 - 2)", 5.0),
        ("16 / 4 / 2", 2.0),
        ("16 / (4 / 2)", 8.0),
        ("2 * 6 / 3", 4.0),
        ("-2 * 3 + 1", -5.0),
        ("--2", 2.0),
        ("1 - -2", 3.0),
        ("3-1", 2.0),
        ("abs(2 - 5) + min(4, 3, 9) + max(1, 2)", 8.0),
    ] {
        assert_eq!(value(text), Ok(wanted), "{text}");
    }
}

#[test]
fn numbers_may_be_fractions_powers_and_percentages() {
    for (text, wanted) in
        [("0.9", 0.9), (".5", 0.5), ("1e-3", 0.001), ("2E+2", 200.0), ("1 %", 0.01), ("50% * 8", 4.0), ("100 %", 1.0)]
    {
        assert_eq!(value(text), Ok(wanted), "{text}");
    }
    let percentage = |text: &str| Expression::parse(text).expect(text).is_percentage();
    assert!(percentage("1 %") && percentage("-1%") && !percentage("0.01") && !percentage("2 * 1 %"));
}

#[test]
fn names_have_points_hyphens_and_quotes() {
    for (text, wanted) in [
        ("sci / baseline", 0.8),
        ("start_s.boot_mean * 2", 1.0),
        ("keep-alive + 1", 61.0),
        ("sci - baseline", -2.0),
        ("\"sci\"", 8.0),
        ("sci(vm)", 3.0),
        ("sci(\"my run\") + sci('my run')", 8.0),
        ("sci(60)", 5.0),
    ] {
        assert_eq!(value(text), Ok(wanted), "{text}");
    }
}

#[test]
fn what_is_undefined_is_an_error_with_its_name_and_holds_nothing() {
    for (text, message) in [
        ("latency_s.p99", "latency_s.p99 is undefined"),
        ("min(1, latency_s.p99)", "latency_s.p99 is undefined"),
        ("1 / (baseline - 10)", "1 / (baseline - 10) divides by 0"),
        ("0 / 0", "0 / 0 divides by 0"),
        ("1e300 * 1e300", "is too large"),
        ("nothing", "nothing is not known"),
        ("half_width(sci)", "half_width(sci) is not known"),
    ] {
        let error = value(text).expect_err(text);
        assert!(error.contains(message), "{text}: {error}");
    }
    for (sign, operator) in Operator::ALL {
        assert!(!operator.holds(f64::NAN, 1.0), "{sign}");
        assert!(Claim::parse(&format!("x {sign} 1")).expect(sign)[0].holds(&|_| Ok(f64::NAN)).is_err(), "{sign}");
    }
}

#[test]
fn every_operator_compares() {
    let verdicts = |x: f64| Operator::ALL.map(|(_, o)| o.holds(x, 1.0));
    // <=, >=, ==, !=, <, >
    assert_eq!(verdicts(0.5), [true, false, false, true, true, false]);
    assert_eq!(verdicts(1.0), [true, true, true, false, false, false]);
    assert_eq!(verdicts(1.5), [false, true, false, true, false, true]);
}

#[test]
fn claims_are_joined_by_and_and_list_what_they_need() {
    let claims = Claim::parse("sci < 0.9 * baseline and mean(sci) >= abs(a.b - c)").expect("right");
    assert_eq!(claims.iter().map(|c| c.operator).collect::<Vec<_>>(), [Operator::Below, Operator::AtLeast]);
    let names = |claim: &Claim| claim.names().iter().map(|(r, _)| r.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&claims[0]), ["sci", "baseline"]);
    assert_eq!(names(&claims[1]), ["mean(sci)", "a.b", "c"]);
    let names = claims[1].names();
    let (reference, place) = &names[1];
    assert_eq!((reference.to_string().as_str(), &claims[1].text[place.0.clone()]), ("a.b", "a.b"));
    let error = claims[1].wrong(place, "what is this?", "name a figure").to_string();
    assert_eq!(
        error,
        "what is this?\n    sci < 0.9 * baseline and mean(sci) >= abs(a.b - c)\n                                              \
         ^^^\n  help: name a figure"
    );
}

#[test]
fn what_is_wrong_is_pointed_at_and_the_remedy_named() {
    for (text, caret, message, help) in [
        ("", "^", "a value is missing before the end", "a value is a number"),
        ("sci", "   ^", "a comparison is missing", "write LEFT OP RIGHT"),
        ("sci <", "     ^", "a value is missing before the end", "a value is"),
        ("sci = 1", "    ^", "\"=\" means nothing", "write =="),
        ("sci =< 1", "    ^", "\"=\" means nothing", "write <="),
        ("sci ≤ 1", "    ^", "\"≤\" means nothing", "write <="),
        ("a < b < c", "      ^", "compares two sides", "a < b and b < c"),
        ("(a < b)", "   ^", "inside parentheses", "joined by and"),
        ("a < (b + 1", "    ^", "not closed", "write )"),
        ("a < b c", "      ^", "\"c\" is unexpected", "joined by"),
        ("my run < 1", "   ^^^", "\"run\" stands where a comparison", "write LEFT"),
        ("a < mean()", "    ^^^^^^", "no argument", "mean(…)"),
        ("a < abs(1, 22)", "           ^^", "abs takes one", "abs(…)"),
        ("a < \"b", "    ^^", "a quote is not closed", "write \""),
        ("a < ''", "    ^^", "empty", "a name"),
        ("a < 1e999", "    ^^^^^", "not a number", "0.9"),
        ("a < % 3", "    ^", "after a number only", "1 %"),
        ("a < +3", "    ^", "needs no +", "leave"),
        ("a < b && c < d", "      ^", "\"&\" means", "write and"),
        ("a < 1 and", "         ^", "missing before the end", "a value"),
        ("é < ¤", "    ^", "\"¤\" means nothing", "in quotes"),
        ("a\t< ¤", "    ^", "\"¤\" means nothing", "in quotes"),
    ] {
        let error = Claim::parse(text).expect_err(text).to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert!(lines[0].contains(message), "{text}: {error}");
        assert_eq!(lines[1], format!("    {}", text.replace('\t', " ")));
        assert_eq!(lines[2], format!("    {caret}"), "{text}: {error}");
        assert!(lines[3].starts_with("  help: ") && lines[3].contains(help), "{text}: {error}");
    }
    let error = Claim::parse_one("a < b and c < d").expect_err("two claims");
    assert_eq!(&error.text[error.at.0.clone()], "c");
    assert!(Expression::parse("a < b").expect_err("a claim").to_string().contains("not a comparison"));
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    for part in ["(", "-", "f("] {
        let text = |times| format!("{}1", part.repeat(times));
        assert!(Expression::parse(&text(101)).expect_err("too deep").message.contains("nested"), "{part}");
        assert!(Expression::parse(&text(100_000)).expect_err("too deep").message.contains("too long"), "{part}");
    }
    let sum = |terms| format!("{}1", "1 + ".repeat(terms));
    assert_eq!(value(&sum(1000)), Ok(1001.0));
    assert!(Expression::parse(&sum(100_000)).expect_err("too long").message.contains("too long"));
}

#[test]
fn short_names_stand_for_keys() {
    let keys = [
        "sci.g_per_unit",
        "sci.embodied_g_per_unit",
        "carbon_g.embodied",
        "carbon_g.total",
        "latency_s.p99",
        "latency_s.mean",
        "deferral_s.mean",
        "calls.cold_share",
    ];
    for (name, key) in [
        ("carbon_g.total", "carbon_g.total"),
        ("sci", "sci.g_per_unit"),
        ("embodied", "sci.embodied_g_per_unit"),
        ("p99_latency_s", "latency_s.p99"),
        ("cold_share", "calls.cold_share"),
        ("mean_deferral_s", "deferral_s.mean"),
    ] {
        assert_eq!(find_key(name, &keys), Ok(key), "{name}");
    }
    // An alias whose figure is not there is none: then the other rules hold.
    assert_eq!(find_key("embodied", &["carbon_g.embodied"]), Ok("carbon_g.embodied"));
    let error = find_key("mean", &keys).expect_err("two");
    assert_eq!(error.to_string(), "\"mean\" may be latency_s.mean or deferral_s.mean");
    let error = find_key("latency_s.p98", &keys).expect_err("none");
    assert_eq!(error.to_string(), "no run has the figure \"latency_s.p98\"");
    assert!(error.help().starts_with("did you mean \"latency_s.p99\"? Near: latency_s.p99, "), "{}", error.help());
    let error = find_key("sci-baseline", &keys).expect_err("none");
    assert!(error.help().contains("spaces around its minus"), "{}", error.help());
}

/// Any expression. Numbers are not negative: a minus before them is a sign of its own.
fn expressions() -> impl Strategy<Value = Expression> {
    let at = Place::default;
    let number = (0.0..1e6_f64, any::<bool>()).prop_map(move |(written, percent)| Expression::Number {
        written,
        percent,
        at: at(),
    });
    let names = "[a-z_][a-z0-9_.-]{0,6}|and|[ -~é]{1,5}|[0-9]{1,3}";
    let name = names.prop_map(move |name| Expression::Name { name, at: at() });
    prop_oneof![number, name].prop_recursive(5, 40, 3, move |inner| {
        let sign = prop_oneof![Just(Sign::Plus), Just(Sign::Minus), Just(Sign::Times), Just(Sign::Over)];
        prop_oneof![
            ("[a-z_.]{1,4}|and|[ -~]{1,3}", prop::collection::vec(inner.clone(), 1..3))
                .prop_filter("abs takes one argument", |(name, _)| name != "abs")
                .prop_map(move |(name, arguments)| Expression::Call { name, arguments, at: at() }),
            inner.clone().prop_map(move |of| Expression::Negative(Box::new(of), at())),
            (inner.clone(), sign, inner).prop_map(|(a, sign, b)| Expression::Pair(Box::new(a), sign, Box::new(b))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(left in expressions(), right in expressions(), operator in 0..6_usize) {
        let claim = Claim { text: String::new(), left, operator: Operator::ALL[operator].1, right };
        let printed = claim.to_string();
        let again = Claim::parse_one(&printed).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&again, &claim, "{}", printed);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~éß≤\t]{0,30}") {
        if let Err(error) = Claim::parse(&text) {
            prop_assert!(error.to_string().contains("help: "));
        }
    }
}
