//! Asking before something that cannot be undone.

use std::io::{self, IsTerminal, Write};

use tokio::sync::oneshot;

use super::failure::Failure;

/// Goes on only if a person agrees, on the terminal or by `--yes` before. Where nobody can be asked, `--yes` is needed.
pub async fn agreed(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::bad_input("not_confirmed", "there is no terminal to ask on, and it cannot be undone")
            .next("say --yes if it is meant"));
    }
    // There is nobody to tell that stderr is closed.
    let _ = write!(io::stderr().lock(), "{question} [y/N] ");
    // On a thread of its own: who presses Ctrl-C instead of answering is not waited for.
    let (to, answer) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        // Nobody waits for it any more.
        let _ = to.send(read);
    });
    let line = answer.await.ok().and_then(Result::ok).unwrap_or_default();
    if ["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(Failure::failed("not_confirmed", "not confirmed: nothing was done"))
}
