//! What a command says when it fails: what, why, what to do next, and the exit code.

use std::error::Error;

use crate::exit::Exit;

/// The result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A failure, as a person reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// A failure with its message: what failed, on which object.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Something failed (exit code 1).
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Wrong arguments (exit code 64).
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds an error and all its sources as causes.
    pub(crate) fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(text) = refusal(error) {
                self.causes.push(text);
                break;
            }
            let text = error.to_string();
            // Some libraries print their source in their own message: don't say a thing twice.
            if !self.causes.last().is_some_and(|last| last.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What an API server said no with, in its own words: the client library would print its whole Status.
fn refusal(error: &(dyn Error + 'static)) -> Option<String> {
    match error.downcast_ref()? {
        kube::Error::Api(status) if !status.message.is_empty() => Some(status.message.clone()),
        _ => None,
    }
}

/// Names what was attempted when an error passes on.
pub(crate) trait Attempted<T> {
    /// `message` fits after "error: ": what was attempted, on what.
    fn attempted(self, message: impl Into<String>) -> Result<T>;
}

impl<T, E: Error + 'static> Attempted<T> for std::result::Result<T, E> {
    fn attempted(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|error| Failure::failed(message).because(&error))
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn an_api_servers_refusal_is_told_in_its_own_words() {
        let status = Status::failure(r#"pods "etcd-0" not found"#, "NotFound").with_code(404);
        let answer: Result<(), _> = Err(kube::Error::Api(status.boxed()));
        let failure = answer.attempted("could not get pods").expect_err("it is a failure");
        assert_eq!(failure.causes, [r#"pods "etcd-0" not found"#]);
    }
}
