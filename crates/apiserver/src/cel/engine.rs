//! The crate `cel` behind [`Expression`].

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, PoisonError, Weak},
};

use cel::{
    Context, Env, ExecutionError, IdedExpr, ParseErrors, Value as CelValue,
    common::{
        ast::{Expr, LiteralValue, SourceInfo},
        types::{CelBool, CelOptional, CelString},
        value::{CowVal, Val},
    },
};

use super::{
    EvaluationError, Expression, Old, Outcome, Scope, Shared, Variables, Wanted, check, depth, functions, meter,
    value::{Boxed, convert},
};
use crate::schema::Pattern;

/// What a single evaluation may use.
const PER_EVALUATION: u64 = 1_000_000;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(functions::environment()));

/// The expressions in use, by their text: the same few stand in hundreds of places.
static IN_USE: Mutex<BTreeMap<Box<str>, Weak<Program>>> = Mutex::new(BTreeMap::new());

/// An expression, with the meter in it.
#[derive(Debug)]
struct Program {
    text: Box<str>,
    metered: IdedExpr,
    /// What it costs besides its loops.
    cost: u64,
    uses_old: bool,
    /// Its regular expressions: kept, so that they are made once.
    _patterns: Vec<Pattern>,
}

/// Compiles an expression; the error is the parser's complaint, with the place in the text.
pub(crate) fn compile(text: &str) -> Result<Shared, String> {
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(program) = in_use.get(text).and_then(Weak::upgrade) {
        return Ok(program);
    }
    let (mut metered, _) = parse(text)?;
    let mut found = Found::default();
    found.search(&metered);
    // What is no pattern is [`check`]'s business.
    let patterns = found
        .patterns
        .iter()
        .filter_map(|pattern| Pattern::compile(pattern).ok())
        .collect();
    let program = Arc::new(Program {
        text: text.into(),
        cost: meter::install(&mut metered),
        metered,
        uses_old: found.uses_old,
        _patterns: patterns,
    });
    in_use.retain(|_, program| program.strong_count() > 0);
    in_use.insert(text.into(), Arc::downgrade(&program));
    Ok(program)
}

fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), String> {
    depth::check(text)?;
    parse_any(text)
}

/// Parses an expression however deep it is.
pub(super) fn parse_any(text: &str) -> Result<(IdedExpr, SourceInfo), String> {
    let parsed = ENVIRONMENT.parser().parse_with_source_info(text);
    parsed.map_err(|errors: ParseErrors| {
        let lines = errors.to_string();
        let lines = lines.lines().map(|line| match line.strip_prefix('|') {
            Some(rest) => format!(" |{rest}"),
            None => line.to_owned(),
        });
        format!("compilation failed: {}", lines.collect::<Vec<_>>().join("\n"))
    })
}

/// Calls a function of one text.
pub(super) fn call(function: &str, text: &str) -> Result<Boxed<'static>, ExecutionError> {
    let arguments = vec![CowVal::owned(CelString::from(text.to_owned()))];
    let Some(function) = ENVIRONMENT.find_overload(function, &arguments) else {
        return Err(ExecutionError::UndeclaredReference(Arc::new(function.to_owned())));
    };
    function(arguments).map(CowVal::into_owned)
}

impl Expression for Program {
    fn uses_old(&self) -> bool {
        self.uses_old
    }

    fn check(&self, scope: Scope<'_>, wanted: Wanted) -> Result<(), String> {
        if check::check(&self.metered, scope, wanted).is_ok() {
            return Ok(());
        }
        // The meter is not in the text: what is reported is found in the expression as written.
        let (expr, source) = parse(&self.text)?;
        check::check(&expr, scope, wanted).map_err(|complaints| check::report(&complaints, &source))
    }

    fn evaluate(&self, variables: Variables<'_>, budget: &mut u64) -> Result<Outcome, EvaluationError> {
        let fuel = meter::Fuel::new(PER_EVALUATION.min(*budget));
        let result = if fuel.take(self.cost) {
            run(&self.metered, variables, &fuel)
        } else {
            Ok(Outcome::Other)
        };
        let used = PER_EVALUATION.min(*budget) - fuel.left();
        let limited_by_budget = *budget < PER_EVALUATION;
        *budget -= used;
        match (fuel.ran_out(), limited_by_budget) {
            (true, true) => Err(EvaluationError::OutOfBudget),
            (true, false) => Err(EvaluationError::TooLong),
            (false, _) => result.map_err(|error| EvaluationError::Failed(explain(&error))),
        }
    }
}

fn run(expr: &IdedExpr, variables: Variables<'_>, fuel: &meter::Fuel) -> Result<Outcome, ExecutionError> {
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    context.add_variable_as_val(meter::FUEL, Box::new(fuel.clone()));
    context.add_variable_as_val("self", convert(variables.new)?);
    match variables.old {
        Old::Absent => {}
        Old::Value(old) => context.add_variable_as_val("oldSelf", convert(old)?),
        Old::Optional(None) => context.add_variable_as_val("oldSelf", Box::new(CelOptional::none())),
        Old::Optional(Some(old)) => context.add_variable_as_val("oldSelf", Box::new(CelOptional::of(convert(old)?))),
    }
    let value = CelValue::resolve_val(expr, &context)?;
    Ok(outcome(value.as_ref()))
}

fn outcome(value: &dyn Val) -> Outcome {
    if let Some(value) = value.downcast_ref::<CelBool>() {
        Outcome::Bool(*value.inner())
    } else if let Some(text) = value.downcast_ref::<CelString>() {
        Outcome::Text(text.inner().to_owned())
    } else {
        Outcome::Other
    }
}

/// An error in the words of upstream's engine, which clients may know.
fn explain(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::IndexOutOfBounds(CelValue::Int(index)) => format!("index out of bounds: {index}"),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::UnsupportedBinaryOperator(..)
        | ExecutionError::UnexpectedType { .. }
        | ExecutionError::ValuesNotComparable(..) => "no such overload".to_owned(),
        ExecutionError::FunctionError { message, .. } => message.clone(),
        ExecutionError::UndeclaredReference(name) => format!("no such attribute(s): {name}"),
        other => other.to_string(),
    }
}

/// What is of interest in an expression as a whole.
#[derive(Default)]
struct Found {
    uses_old: bool,
    patterns: Vec<String>,
}

impl Found {
    fn search(&mut self, expr: &IdedExpr) {
        check::for_each_part(&expr.expr, &mut |part| self.search(part));
        match &expr.expr {
            Expr::Ident(name) => self.uses_old |= name == "oldSelf",
            Expr::Call(call) if ["matches", "find", "findAll"].contains(&call.func_name.as_str()) => {
                let operands = call.target.iter().map(AsRef::as_ref).chain(&call.args);
                if let Some(Expr::Literal(LiteralValue::String(pattern))) = operands.skip(1).map(|arg| &arg.expr).next()
                {
                    self.patterns.push(pattern.inner().to_owned());
                }
            }
            _ => {}
        }
    }
}
