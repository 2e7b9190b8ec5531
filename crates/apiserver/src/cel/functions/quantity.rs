//! Quantities: `100m`, `1.5Gi`, `1e3`.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form in which functions are registered"
)]

use std::cmp::Ordering;

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::types::{CelBool, CelDouble, CelInt, CelString},
};

use super::{failed, opaque};

/// An exact number, in billionths: upstream rounds up what is smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Quantity(i128);

opaque!(Quantity, "kubernetes.Quantity");

const ONE: i128 = 1_000_000_000;

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    add_overload!(env, fn quantity: (CelString) -> Result<Quantity>)?;
    add_overload!(env, fn is_quantity: (CelString) -> CelBool)?;
    add_overload!(env, fn sign: (Quantity) -> CelInt)?;
    add_member_overload!(env, fn is_greater_than: (Quantity, Quantity) -> CelBool)?;
    add_member_overload!(env, fn is_less_than: (Quantity, Quantity) -> CelBool)?;
    add_member_overload!(env, fn compare_to: (Quantity, Quantity) -> CelInt)?;
    add_member_overload!(env, fn as_integer: (Quantity) -> Result<CelInt>)?;
    add_member_overload!(env, fn as_approximate_float: (Quantity) -> CelDouble)?;
    add_member_overload!(env, fn is_integer: (Quantity) -> CelBool)?;
    add_member_overload!(env, fn plus: (Quantity, Quantity) -> Result<Quantity>, name = "add")?;
    add_member_overload!(env, fn plus_int: (Quantity, CelInt) -> Result<Quantity>, name = "add")?;
    add_member_overload!(env, fn minus: (Quantity, Quantity) -> Result<Quantity>, name = "sub")?;
    add_member_overload!(env, fn minus_int: (Quantity, CelInt) -> Result<Quantity>, name = "sub")
}

/// Reads a quantity: a decimal number with a binary suffix, a decimal one, or an exponent.
fn parse(text: &str) -> Option<Quantity> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = unsigned.find(|char: char| !char.is_ascii_digit() && char != '.');
    let (number, suffix) = unsigned.split_at(end.unwrap_or(unsigned.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (factor, exponent) = scale(suffix)?;
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let exponent = 9 + exponent - i32::try_from(fraction.len()).ok()?;
    let scaled = digits.checked_mul(factor)?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    let amount = if exponent >= 0 {
        scaled.checked_mul(power?)?
    } else {
        // What is too small to be told is rounded up.
        power.map_or(i128::from(scaled > 0), |power| (scaled + power - 1) / power)
    };
    Some(Quantity(if negative { -amount } else { amount }))
}

/// The factor and the power of ten that a suffix stands for.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    let binary = |power: u32| Some((1_i128 << (10 * power), 0));
    match suffix {
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        "n" => Some((1, -9)),
        "u" => Some((1, -6)),
        "m" => Some((1, -3)),
        "" => Some((1, 0)),
        "k" => Some((1, 3)),
        "M" => Some((1, 6)),
        "G" => Some((1, 9)),
        "T" => Some((1, 12)),
        "P" => Some((1, 15)),
        "E" => Some((1, 18)),
        _ => Some((1, suffix.strip_prefix(['e', 'E'])?.parse().ok()?)),
    }
}

fn quantity(text: &CelString<'_>) -> Result<Quantity, ExecutionError> {
    parse(text.inner()).ok_or_else(|| {
        failed("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    })
}

fn is_quantity(text: &CelString<'_>) -> CelBool {
    parse(text.inner()).is_some().into()
}

fn sign(Quantity(amount): &Quantity) -> CelInt {
    CelInt::from(i64::try_from(amount.signum()).unwrap_or_default())
}

fn is_greater_than(one: &Quantity, two: &Quantity) -> CelBool {
    (one > two).into()
}

fn is_less_than(one: &Quantity, two: &Quantity) -> CelBool {
    (one < two).into()
}

fn compare_to(one: &Quantity, two: &Quantity) -> CelInt {
    CelInt::from(match one.cmp(two) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

fn whole(Quantity(amount): Quantity) -> Option<i64> {
    (amount % ONE == 0).then(|| i64::try_from(amount / ONE).ok()).flatten()
}

fn as_integer(quantity: &Quantity) -> Result<CelInt, ExecutionError> {
    let whole = whole(*quantity).ok_or_else(|| failed("cannot convert value to integer"))?;
    Ok(CelInt::from(whole))
}

#[expect(clippy::cast_precision_loss, reason = "approximate by name")]
fn as_approximate_float(Quantity(amount): &Quantity) -> CelDouble {
    CelDouble::from(*amount as f64 / ONE as f64)
}

fn is_integer(quantity: &Quantity) -> CelBool {
    whole(*quantity).is_some().into()
}

fn sum(one: i128, two: Option<i128>) -> Result<Quantity, ExecutionError> {
    let sum = two.and_then(|two| one.checked_add(two));
    sum.map(Quantity).ok_or_else(|| failed("integer overflow"))
}

fn plus(one: &Quantity, two: &Quantity) -> Result<Quantity, ExecutionError> {
    sum(one.0, Some(two.0))
}

fn plus_int(one: &Quantity, two: &CelInt) -> Result<Quantity, ExecutionError> {
    sum(one.0, i128::from(*two.inner()).checked_mul(ONE))
}

fn minus(one: &Quantity, two: &Quantity) -> Result<Quantity, ExecutionError> {
    sum(one.0, two.0.checked_neg())
}

fn minus_int(one: &Quantity, two: &CelInt) -> Result<Quantity, ExecutionError> {
    sum(one.0, i128::from(*two.inner()).checked_mul(-ONE))
}
