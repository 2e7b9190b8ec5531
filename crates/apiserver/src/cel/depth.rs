//! Bounds how deep an expression is. The parser bounds only what is in brackets: a chain such as `a.b.c` or `1 + 1 + 1` is
//! as deep as it is long, and all that walks it (the check, an evaluation, even its end) does so by recursion.

use std::thread;

use cel::IdedExpr;

use super::{check::for_each_part, engine::parse_any};

/// The deepest expression.
const DEEPEST: usize = 250;

/// The longest expression, in characters; upstream's.
const LONGEST: usize = 100_000;

/// An expression of so many bytes can't be much deeper than [`DEEPEST`]: each level takes two.
const SHORT: usize = 2 * DEEPEST;

/// What parsing takes of a stack for a byte of text, with room to spare.
const STACK_PER_BYTE: usize = 4 << 10;

/// Refuses what is too long, or too deep for the stacks that requests are served on.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.len() <= SHORT {
        return Ok(());
    }
    let length = text.chars().count();
    if length > LONGEST {
        return Err(refusal(&format!(
            "expression code point size exceeds limit: size: {length}, limit {LONGEST}"
        )));
    }
    // How deep it is, is known once it is parsed; hence a stack on which a text of this length can be.
    thread::scope(|scope| {
        let parsing = thread::Builder::new()
            .stack_size(STACK_PER_BYTE * text.len())
            .spawn_scoped(scope, || {
                let (expr, _) = parse_any(text)?;
                if is_deeper(&expr, DEEPEST) {
                    return Err(refusal("max recursion depth exceeded"));
                }
                Ok(())
            });
        match parsing.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(refusal("the parser failed")),
            Err(error) => Err(refusal(&format!("no thread to parse it on: {error}"))),
        }
    })
}

fn refusal(why: &str) -> String {
    format!("compilation failed: ERROR: <input>:-1:0: {why}")
}

fn is_deeper(expr: &IdedExpr, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else {
        return true;
    };
    let mut deeper = false;
    for_each_part(&expr.expr, &mut |part| deeper = deeper || is_deeper(part, levels));
    deeper
}

#[cfg(test)]
mod tests {
    use super::super::compile;

    #[test]
    fn a_chain_may_be_long_but_not_so_long_that_walking_it_ends_the_server() {
        type Chain = fn(usize) -> String;
        let chains: [Chain; 4] = [
            |length| format!("1{} > 1", " + 1".repeat(length)),
            |length| format!("self{} == 1", ".a".repeat(length)),
            |length| format!("self{} == 1", "[0]".repeat(length)),
            |length| format!("self{} == ''", ".trim()".repeat(length)),
        ];
        for chain in chains {
            assert!(compile(&chain(200)).is_ok());
            for length in [300, 10_000] {
                let error = compile(&chain(length)).expect_err("it is too deep");
                assert!(error.ends_with("max recursion depth exceeded"), "{error}");
            }
            let error = compile(&chain(100_000)).expect_err("it is too long");
            assert!(error.contains("size exceeds limit"), "{error}");
        }
        // These are put together in pairs.
        assert!(compile(&format!("true{}", " && true".repeat(5000))).is_ok());
        let error = compile(&format!("1{} +", " + 1".repeat(10_000))).expect_err("it ends too early");
        assert!(error.contains("Syntax error"), "{error}");
    }
}
