//! Bounds what an evaluation may do. The crate knows no limit, so a call is put around every range that a loop runs over and
//! every operand whose length decides how long an operation takes: it takes what that will cost off the budget, or fails.
//!
//! What is counted: a node of the expression costs one each time it can be evaluated, ten characters or items that an
//! operation walks over cost one. Upstream counts much the same, function by function; the limits are upstream's.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cel::{
    ExecutionError, IdedExpr,
    common::{
        ast::{CallExpr, EntryExpr, Expr, LiteralValue, operators},
        types::{CelBytes, CelInt, CelString, Type},
        value::{CowVal, StaticVal, Val},
    },
};

use super::{check, signature::SIGNATURES};

/// The function that takes its second argument's cost off its first, and returns its second.
pub(super) const USE: &str = "@use";
/// The function that takes what its second and third arguments may grow to together off its first, and returns its second.
pub(super) const GROW: &str = "@grow";
/// The function that makes any list one of the crate's own.
pub(super) const PLAIN: &str = "@plain";
/// The variable that holds what may still be used.
pub(super) const FUEL: &str = "@fuel";

/// Operations that walk over their operands.
const WALKS: [&str; 28] = [
    operators::ADD,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::IN,
    "contains",
    "distinct",
    "find",
    "findAll",
    "flatten",
    "format",
    "indexOf",
    "isSorted",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "max",
    "min",
    "replace",
    "reverse",
    "sort",
    "split",
    "string",
    "substring",
    "sum",
    "trim",
    "upperAscii",
    "validate",
];

/// What may still be used. Shared by the copies that the evaluation makes of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fuel(Arc<Tank>);

#[derive(Debug, Default)]
struct Tank {
    left: AtomicU64,
    empty: std::sync::atomic::AtomicBool,
}

impl Fuel {
    pub(super) fn new(amount: u64) -> Self {
        let fuel = Self::default();
        fuel.0.left.store(amount, Ordering::Relaxed);
        fuel
    }

    /// Takes some off; false where there is not enough.
    pub(super) fn take(&self, amount: u64) -> bool {
        let left = self.0.left.load(Ordering::Relaxed);
        let enough = left >= amount;
        self.0.left.store(left.saturating_sub(amount), Ordering::Relaxed);
        if !enough {
            self.0.empty.store(true, Ordering::Relaxed);
        }
        enough
    }

    pub(super) fn left(&self) -> u64 {
        self.0.left.load(Ordering::Relaxed)
    }

    /// Whether more was asked for than there was.
    pub(super) fn ran_out(&self) -> bool {
        self.0.empty.load(Ordering::Relaxed)
    }
}

static FUEL_TYPE: Type = Type::new_unspecified_type(FUEL);

impl Val for Fuel {
    fn get_type(&self) -> &Type {
        &FUEL_TYPE
    }

    fn cel_type() -> &'static Type {
        &FUEL_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Fuel {}

/// The implementation of [`USE`].
pub(super) fn use_up<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let mut arguments = arguments.into_iter();
    let (Some(fuel), Some(value), Some(factor)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(ExecutionError::InternalError("@use takes three arguments".to_owned()));
    };
    let factor = factor.downcast_ref::<CelInt>().map_or(1, |factor| *factor.inner());
    let cost = length(value.as_ref())
        .saturating_mul(factor.unsigned_abs())
        .div_ceil(10);
    pay(fuel.as_ref(), cost)?;
    Ok(value)
}

/// The implementation of [`GROW`].
pub(super) fn grow<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let mut arguments = arguments.into_iter();
    let (Some(fuel), Some(value), Some(by)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(ExecutionError::InternalError("@grow takes three arguments".to_owned()));
    };
    let cost = length(value.as_ref()).saturating_mul(length(by.as_ref())).div_ceil(10);
    pay(fuel.as_ref(), cost)?;
    Ok(value)
}

fn pay(fuel: &dyn Val, cost: u64) -> Result<(), ExecutionError> {
    match fuel.downcast_ref::<Fuel>() {
        Some(fuel) if !fuel.take(cost) => Err(ExecutionError::FunctionError {
            function: USE.to_owned(),
            message: String::new(),
        }),
        _ => Ok(()),
    }
}

fn length(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString>() {
        text.inner().len() as u64
    } else if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        bytes.inner().len() as u64
    } else {
        value.as_sizer().map_or(1, |sizer| sizer.size().inner().unsigned_abs())
    }
}

/// Puts the meter into an expression; returns what the expression costs without its loops.
pub(super) fn install(expr: &mut IdedExpr) -> u64 {
    match &mut expr.expr {
        Expr::Unspecified | Expr::Literal(_) => 0,
        Expr::Ident(_) => 1,
        Expr::Select(select) => 1 + install(&mut select.operand),
        Expr::List(list) => 1 + list.elements.iter_mut().map(install).sum::<u64>(),
        Expr::Map(map) => {
            1 + map
                .entries
                .iter_mut()
                .map(|entry| entry_cost(&mut entry.expr))
                .sum::<u64>()
        }
        Expr::Struct(value) => {
            1 + value
                .entries
                .iter_mut()
                .map(|entry| entry_cost(&mut entry.expr))
                .sum::<u64>()
        }
        Expr::Call(call) => 1 + install_call(call),
        Expr::Comprehension(comprehension) => {
            let before = install(&mut comprehension.iter_range) + install(&mut comprehension.accu_init);
            let step = install(&mut comprehension.loop_cond) + install(&mut comprehension.loop_step);
            wrap(&mut comprehension.iter_range, step.saturating_mul(10));
            1 + before + install(&mut comprehension.result)
        }
    }
}

fn entry_cost(entry: &mut EntryExpr) -> u64 {
    match entry {
        EntryExpr::StructField(field) => install(&mut field.value),
        EntryExpr::MapEntry(entry) => install(&mut entry.key) + install(&mut entry.value),
    }
}

fn install_call(call: &mut CallExpr) -> u64 {
    if let (operators::EQUALS | operators::NOT_EQUALS, [left, right]) =
        (call.func_name.as_str(), call.args.as_mut_slice())
    {
        // Equality asks the left operand, and a literal doesn't know the lists and maps of a schema.
        match (&left.expr, &right.expr) {
            (Expr::Map(_), Expr::Map(_)) | (Expr::List(_), Expr::List(_)) => {}
            (Expr::Map(_), _) => std::mem::swap(left, right),
            // A literal has an order, also where the other list has none.
            (Expr::List(_), _) => wrap_plain(right),
            _ => {}
        }
    }
    let target = call.target.as_deref().and_then(check::qualified);
    let full_name = target.map(|target| format!("{target}.{}", call.func_name));
    if let Some(name) = full_name.filter(|name| SIGNATURES.contains_key(name.as_str())) {
        // What stands before the dot is part of the function's name.
        let cost = call.args.iter_mut().map(install).sum();
        if name.starts_with("sets.")
            && let [one, other] = call.args.as_mut_slice()
        {
            // Each item is looked for among all of the other's.
            wrap_growth(one, other.clone());
        }
        return cost;
    }
    let operands = call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args);
    let walks = WALKS.contains(&call.func_name.as_str());
    let measured = |operand: &mut IdedExpr| {
        let cost = install(operand);
        // Loops append to their result in a way of their own, which is recognised by its shape.
        let has_length = match &operand.expr {
            Expr::Ident(name) => !name.starts_with('@'),
            Expr::Call(_) | Expr::Select(_) | Expr::Comprehension(_) => true,
            _ => false,
        };
        if walks && has_length {
            wrap(operand, 1);
        }
        cost
    };
    let cost = operands.map(measured).sum();
    bound_growth(call);
    cost
}

/// What is put in many times over makes a text far longer than all that went in: that is paid for before it is made.
fn bound_growth(call: &mut CallExpr) {
    match (call.func_name.as_str(), &mut call.target, call.args.as_mut_slice()) {
        ("replace", Some(target), [_, by, ..]) | ("join", Some(target), [by]) => wrap_growth(target, by.clone()),
        ("format", _, [list]) => {
            if let Expr::List(list) = &mut list.expr {
                list.elements.iter_mut().for_each(|element| wrap(element, 1));
            }
        }
        _ => {}
    }
}

fn wrap_growth(expr: &mut IdedExpr, by: IdedExpr) {
    wrap_in(GROW, expr, |inner| vec![node(Expr::Ident(FUEL.to_owned())), inner, by]);
}

fn wrap_plain(expr: &mut IdedExpr) {
    wrap_in(PLAIN, expr, |inner| vec![inner]);
}

fn wrap(expr: &mut IdedExpr, factor: u64) {
    let factor = i64::try_from(factor).unwrap_or(i64::MAX);
    let factor = node(Expr::Literal(LiteralValue::Int(factor.into())));
    wrap_in(USE, expr, |inner| {
        vec![node(Expr::Ident(FUEL.to_owned())), inner, factor]
    });
}

/// Puts a call in an expression's place, with arguments that are made of it.
fn wrap_in(function: &str, expr: &mut IdedExpr, arguments: impl FnOnce(IdedExpr) -> Vec<IdedExpr>) {
    let inner = std::mem::take(expr);
    *expr = node(Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: None,
        args: arguments(inner),
    }));
}

fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}
