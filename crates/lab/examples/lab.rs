//! A lab without Berth around it: `cargo run -p berth-lab --example lab -- HOME start|status|stop|reset [SPEED]`.
//!
//! It shows what a command line has to do: install a crypto provider, give the hidden arguments to `run_foreground`, and
//! print the line that says that the lab is ready.

#![expect(clippy::print_stdout, reason = "an example of a command line")]

use std::error::Error;

use berth_lab::{Home, LabName, RUN_ARGUMENTS, StartOptions, reset, run_foreground, start, status, stop};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, second, third, options] = arguments.as_slice()
        && [first.as_str(), second, third] == RUN_ARGUMENTS
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let shutdown = async move {
            terminate.recv().await;
        };
        return Ok(run_foreground(options, |lab| println!("ready {}", lab.url), shutdown).await?);
    }
    let [home, verb, rest @ ..] = arguments.as_slice() else {
        return Err("HOME start|status|stop|reset [SPEED]".into());
    };
    let (home, name) = (Home::new(home), LabName::default());
    match verb.as_str() {
        "start" => {
            let speed = rest.first().map_or(Ok(berth_lab::Speed::Max), |speed| speed.parse())?;
            let started = start(
                &home,
                &StartOptions {
                    speed,
                    ..StartOptions::default()
                },
            )
            .await?;
            println!(
                "{:?}: {}\nexport KUBECONFIG={}",
                started.how,
                started.lab.url,
                started.lab.kubeconfig.display()
            );
        }
        "status" => println!("{:#?}", status(&home, &name).await?),
        "stop" => println!("stopped: {}", stop(&home, &name).await?),
        "reset" => println!("deleted: {}", reset(&home, &name).await?),
        other => return Err(format!("unknown verb {other}").into()),
    }
    Ok(())
}
