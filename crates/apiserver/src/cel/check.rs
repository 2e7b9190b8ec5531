//! Holds an expression against the schema before there are values: fields and functions that don't exist, operands that
//! don't fit. What upstream estimates besides, the cost, is not estimated.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, SourceInfo, operators},
};

use super::{
    Scope, Wanted, escape, meter, node,
    signature::SIGNATURES,
    types::{BOOL, Bindings, INT, TEXT, Type},
};
use crate::schema::Pattern;

/// What is wrong with a part of an expression.
#[derive(Debug)]
pub(super) enum Complaint {
    At {
        id: u64,
        message: String,
    },
    /// The whole comes to something else than it should.
    Result(&'static str),
}

/// Says what is wrong with an expression.
pub(super) fn check(expr: &IdedExpr, scope: Scope<'_>, wanted: Wanted) -> Result<(), Vec<Complaint>> {
    let Some(own) = Type::of(scope.node, scope.resource) else {
        return Ok(());
    };
    let old = if scope.optional_old {
        Type::Optional(Box::new(own.clone()))
    } else {
        own.clone()
    };
    let mut checker = Checker {
        variables: vec![("self".to_owned(), own), ("oldSelf".to_owned(), old)],
        complaints: Vec::new(),
    };
    let result = checker.infer(expr);
    if checker.complaints.is_empty() {
        match wanted {
            Wanted::Bool if !result.is("bool") => {
                checker
                    .complaints
                    .push(Complaint::Result("cel expression must evaluate to a bool"));
            }
            Wanted::Text if !result.is("string") => {
                checker.complaints.push(Complaint::Result("must evaluate to a string"));
            }
            _ => return Ok(()),
        }
    }
    Err(checker.complaints)
}

/// The complaints with their places in the text, as upstream's compiler prints them.
pub(super) fn report(complaints: &[Complaint], source: &SourceInfo) -> String {
    let place = |complaint: &&Complaint| match complaint {
        Complaint::At { id, .. } => source.offset_for(*id),
        Complaint::Result(_) => None,
    };
    let mut sorted: Vec<&Complaint> = complaints.iter().collect();
    sorted.sort_by_key(place);
    let lines = sorted.into_iter().map(|complaint| match complaint {
        Complaint::Result(message) => (*message).to_owned(),
        Complaint::At { id, message } => {
            let offset = source.offset_for(*id).map_or(0, |(start, _)| start as usize);
            let before: String = source.source.chars().take(offset).collect();
            let (line, column) = (
                before.matches('\n').count(),
                before.chars().rev().take_while(|char| *char != '\n').count(),
            );
            let text = source.source.lines().nth(line).unwrap_or_default();
            let dots = ".".repeat(column);
            format!(
                "ERROR: <input>:{}:{}: {message}\n | {text}\n | {dots}^",
                line + 1,
                column + 1
            )
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    match complaints {
        [Complaint::Result(_)] => text,
        _ => format!("compilation failed: {text}"),
    }
}

/// Visits the parts of an expression.
pub(super) fn for_each_part<'e>(expr: &'e Expr, visit: &mut impl FnMut(&'e IdedExpr)) {
    match expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        Expr::Select(select) => visit(&select.operand),
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(visit),
        Expr::List(list) => list.elements.iter().for_each(visit),
        Expr::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| for_each_of_entry(&entry.expr, visit)),
        Expr::Struct(value) => value
            .entries
            .iter()
            .for_each(|entry| for_each_of_entry(&entry.expr, visit)),
        Expr::Comprehension(comprehension) => {
            let ComprehensionExpr {
                iter_range,
                accu_init,
                loop_cond,
                loop_step,
                result,
                ..
            } = comprehension.as_ref();
            [iter_range, accu_init, loop_cond, loop_step, result]
                .into_iter()
                .for_each(visit);
        }
    }
}

fn for_each_of_entry<'e>(entry: &'e EntryExpr, visit: &mut impl FnMut(&'e IdedExpr)) {
    match entry {
        EntryExpr::StructField(field) => visit(&field.value),
        EntryExpr::MapEntry(entry) => {
            visit(&entry.key);
            visit(&entry.value);
        }
    }
}

struct Checker<'a> {
    /// Variables in scope, the innermost last.
    variables: Vec<(String, Type<'a>)>,
    complaints: Vec<Complaint>,
}

impl<'a> Checker<'a> {
    fn complain(&mut self, expr: &IdedExpr, message: impl Into<String>) -> Type<'a> {
        let (id, message) = (expr.id, message.into());
        self.complaints.push(Complaint::At { id, message });
        Type::Dyn
    }

    fn infer(&mut self, expr: &IdedExpr) -> Type<'a> {
        match &expr.expr {
            Expr::Unspecified => Type::Dyn,
            Expr::Literal(literal) => literal_type(literal),
            Expr::Ident(name) => self.variable(expr, name),
            Expr::Select(select) => self.select(expr, select),
            Expr::Call(call) => self.call(expr, call),
            Expr::List(list) => {
                let mut item = Type::Free;
                for (index, element) in list.elements.iter().enumerate() {
                    let optional = list.optional_indices.contains(&index);
                    item = self.joined(element, &item, optional);
                }
                Type::List(Box::new(item))
            }
            Expr::Map(map) => {
                let (mut key, mut value) = (Type::Free, Type::Free);
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        key = self.joined(&entry.key, &key, false);
                        value = self.joined(&entry.value, &value, entry.optional);
                    }
                }
                Type::Map(Box::new(key), Box::new(value))
            }
            Expr::Struct(value) => self.undeclared(expr, &value.type_name),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    /// The type of items once `expr` is one of them.
    fn joined(&mut self, expr: &IdedExpr, item: &Type<'a>, optional: bool) -> Type<'a> {
        let found = match (self.infer(expr), optional) {
            (Type::Optional(inner), true) => *inner,
            (found, _) => found,
        };
        match item.join(&found) {
            Some(joined) => joined,
            None => self.complain(expr, format!("expected type '{item}' but found '{found}'")),
        }
    }

    fn undeclared(&mut self, expr: &IdedExpr, name: &str) -> Type<'a> {
        self.complain(expr, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn known(&self, name: &str) -> Option<&Type<'a>> {
        self.variables
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, found)| found)
    }

    fn variable(&mut self, expr: &IdedExpr, name: &str) -> Type<'a> {
        const TYPES: [&str; 11] = [
            "bool",
            "int",
            "uint",
            "double",
            "string",
            "bytes",
            "list",
            "map",
            "null_type",
            "type",
            "optional_type",
        ];
        match self.known(name) {
            Some(found) => found.clone(),
            None if TYPES.contains(&name) => Type::Named("type"),
            None => self.undeclared(expr, name),
        }
    }

    fn select(&mut self, expr: &IdedExpr, select: &SelectExpr) -> Type<'a> {
        if let Some(name) = qualified(expr)
            && ["google.protobuf.Timestamp", "google.protobuf.Duration"].contains(&name.as_str())
        {
            return Type::Named("type");
        }
        let operand = self.infer(&select.operand);
        let found = self.field(expr, operand, &select.field);
        if select.test { BOOL } else { found }
    }

    fn field(&mut self, expr: &IdedExpr, operand: Type<'a>, name: &str) -> Type<'a> {
        match operand {
            Type::Dyn | Type::Free => Type::Dyn,
            Type::Map(_, value) => *value,
            Type::Optional(inner) => match self.field(expr, *inner, name) {
                found @ Type::Optional(_) => found,
                found => Type::Optional(Box::new(found)),
            },
            Type::Struct { node, resource } => {
                let field = escape::unescape(name).and_then(|name| node::field(node, resource, &name));
                let found = field.and_then(|field| Type::of(field, field.embedded));
                found.unwrap_or_else(|| self.complain(expr, format!("undefined field '{name}'")))
            }
            other => self.complain(expr, format!("type '{other}' does not support field selection")),
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Type<'a> {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (meter::USE, [_, operand, _]) => return self.infer(operand),
            (operators::OPT_SELECT, [operand, field]) => {
                let Expr::Literal(LiteralValue::String(field)) = &field.expr else {
                    return Type::Dyn;
                };
                let operand = self.infer(operand);
                return match self.field(expr, operand, field.inner()) {
                    found @ Type::Optional(_) => found,
                    found => Type::Optional(Box::new(found)),
                };
            }
            (operators::INDEX | operators::OPT_INDEX, [operand, index]) => {
                let (operand, index) = (self.infer(operand), self.infer(index));
                let (operand, optional) = match operand {
                    Type::Optional(inner) => (*inner, true),
                    other => (other, name == operators::OPT_INDEX),
                };
                let found = self.resolve(expr, operators::INDEX, None, &[operand, index]);
                return if optional {
                    Type::Optional(Box::new(found))
                } else {
                    found
                };
            }
            _ => {}
        }
        let full_name = call
            .target
            .as_deref()
            .and_then(qualified)
            .map(|target| format!("{target}.{name}"));
        let qualified = full_name.filter(|name| SIGNATURES.contains_key(name.as_str()));
        let target = match (&qualified, &call.target) {
            (None, Some(target)) => Some(self.infer(target)),
            _ => None,
        };
        let arguments: Vec<Type<'a>> = call.args.iter().map(|argument| self.argument(name, argument)).collect();
        self.resolve(expr, qualified.as_deref().unwrap_or(name), target, &arguments)
    }

    fn argument(&mut self, function: &str, argument: &IdedExpr) -> Type<'a> {
        match &argument.expr {
            // What is printed may be of many types; other lists are of one.
            Expr::List(list) if function == "format" => {
                for element in &list.elements {
                    self.infer(element);
                }
                Type::List(Box::new(Type::Dyn))
            }
            Expr::Literal(LiteralValue::String(pattern)) if ["matches", "find", "findAll"].contains(&function) => {
                if Pattern::compile(pattern.inner()).is_err() {
                    self.complain(argument, format!("invalid {function} argument"));
                }
                TEXT
            }
            _ => self.infer(argument),
        }
    }

    /// The type of a call's result.
    fn resolve(&mut self, expr: &IdedExpr, name: &str, target: Option<Type<'a>>, arguments: &[Type<'a>]) -> Type<'a> {
        let Some(signatures) = SIGNATURES.get(name) else {
            return self.undeclared(expr, name);
        };
        let mut result: Option<Type<'a>> = None;
        for signature in signatures {
            if signature.arguments.len() != arguments.len() || signature.target.is_some() != target.is_some() {
                continue;
            }
            let mut bindings = Bindings::default();
            let wanted = signature.target.iter().chain(&signature.arguments);
            let given = target.iter().chain(arguments);
            if given
                .zip(wanted)
                .all(|(given, wanted)| given.fits(wanted, &mut bindings))
            {
                let found = signature.result.bound(&bindings);
                result = Some(match result {
                    Some(result) => result.join(&found).unwrap_or(Type::Dyn),
                    None => found,
                });
            }
        }
        result.unwrap_or_else(|| {
            let texts: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            let (target, texts) = (
                target.map(|target| format!("{target}.")).unwrap_or_default(),
                texts.join(", "),
            );
            let message = format!("found no matching overload for '{name}' applied to '{target}({texts})'");
            self.complain(expr, message)
        })
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Type<'a> {
        let range = self.infer(&comprehension.iter_range);
        let item = match range {
            Type::List(item) => *item,
            Type::Map(key, _) => *key,
            Type::Dyn | Type::Free => Type::Dyn,
            other => {
                let why = "cannot be range of a comprehension (must be list, map, or dynamic)";
                self.complain(&comprehension.iter_range, format!("expression of type '{other}' {why}"))
            }
        };
        let start = self.infer(&comprehension.accu_init);
        self.variables.push((comprehension.accu_var.clone(), start.clone()));
        self.variables.push((comprehension.iter_var.clone(), item));
        let step = self.infer(&comprehension.loop_step);
        self.variables.pop();
        // An empty list that the loop adds to becomes a list of what is added.
        let accumulated = start.join(&step).unwrap_or(step);
        if let Some((_, known)) = self.variables.last_mut() {
            *known = accumulated;
        }
        let result = self.infer(&comprehension.result);
        self.variables.pop();
        result
    }
}

fn literal_type<'a>(literal: &LiteralValue) -> Type<'a> {
    match literal {
        LiteralValue::Boolean(_) => BOOL,
        LiteralValue::Bytes(_) => Type::Named("bytes"),
        LiteralValue::Double(_) => Type::Named("double"),
        LiteralValue::Int(_) => INT,
        LiteralValue::Null => Type::Named("null"),
        LiteralValue::String(_) => TEXT,
        LiteralValue::UInt(_) => Type::Named("uint"),
    }
}

/// The dotted name that an expression spells.
pub(super) fn qualified(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => Some(format!("{}.{}", qualified(&select.operand)?, select.field)),
        _ => None,
    }
}
