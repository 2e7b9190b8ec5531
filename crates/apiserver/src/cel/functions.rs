//! The functions of the language: the standard ones, and those that Kubernetes adds.

mod address;
mod collection;
mod format;
mod quantity;
mod text;
mod url;
mod version;

use cel::{DeclarationError, Env, ExecutionError, common::types, extensions};

use super::meter;

type Extension = fn(&mut Env) -> Result<(), DeclarationError>;

/// Everything that an expression may call.
pub(super) fn environment() -> Env {
    let mut env = Env::stdlib();
    let added: [Extension; 10] = [
        extensions::strings,
        extensions::lists,
        meter,
        text::add,
        collection::add,
        url::add,
        address::add,
        quantity::add,
        version::add,
        format::add,
    ];
    for add in added {
        env.add_extension(add)
            .expect("no function is declared twice, which every test would notice");
    }
    env
}

fn meter(env: &mut Env) -> Result<(), DeclarationError> {
    let arguments = vec![types::DYN_TYPE, types::DYN_TYPE, types::INT_TYPE];
    env.add_overload(meter::USE, meter::USE, arguments, meter::use_up)?;
    env.add_overload(
        meter::GROW,
        meter::GROW,
        vec![types::DYN_TYPE, types::DYN_TYPE, types::DYN_TYPE],
        meter::grow,
    )?;
    env.add_overload(meter::PLAIN, meter::PLAIN, vec![types::DYN_TYPE], collection::plain)
}

fn failed(message: impl Into<String>) -> ExecutionError {
    ExecutionError::FunctionError {
        function: String::new(),
        message: message.into(),
    }
}

/// A type of values that only its own functions can look into.
macro_rules! opaque {
    ($type:ident, $name:literal) => {
        impl cel::common::value::Val for $type {
            fn get_type(&self) -> &cel::common::types::Type {
                <Self as cel::common::value::Val>::cel_type()
            }

            fn cel_type() -> &'static cel::common::types::Type {
                static TYPE: cel::common::types::Type = cel::common::types::Type::new_unspecified_type($name);
                &TYPE
            }

            fn equals(&self, other: &dyn cel::common::value::Val) -> bool {
                other.downcast_ref::<Self>().is_some_and(|other| self == other)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn cel::common::value::Val + 'v> {
                Box::new(self.clone())
            }

            fn as_any(&self) -> Option<&dyn std::any::Any> {
                Some(self)
            }
        }

        impl cel::common::value::StaticVal for $type {}
    };
}
use opaque;
