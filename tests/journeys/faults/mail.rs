//! SES.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use germane::flow::send::{
    Sender,
    mail::{Answer, Batch, Mailer, MailerError},
};

use super::{Act, Gate};

/// What a mailer does with a call.
pub enum Post {
    Deliver,
    Answer(Vec<Answer>),
    Say(MailerError),
    DeliverAndSay(MailerError),
    Hang,
    HangAndSay(MailerError),
    DeliverAndHang,
}

struct FaultyMailer<R> {
    inner: Arc<dyn Mailer>,
    rule: R,
    calls: AtomicUsize,
    gate: Arc<Gate>,
}

/// Lets `rule` decide on each call; the answer notifies when a call hangs.
pub fn mail_by<R>(sender: &mut Sender, rule: R) -> Arc<Gate>
where
    R: Fn(usize, &Batch<'_>) -> Post + Send + Sync + 'static,
{
    let gate = Gate::new();
    let inner = Arc::clone(&sender.mailer);
    sender.mailer = Arc::new(FaultyMailer { inner, rule, calls: AtomicUsize::new(0), gate: gate.clone() });
    gate
}

#[async_trait]
impl<R: Fn(usize, &Batch<'_>) -> Post + Send + Sync> Mailer for FaultyMailer<R> {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        let post = (self.rule)(self.calls.fetch_add(1, Ordering::Relaxed), batch);
        match post {
            Post::Deliver => self.inner.send(batch).await,
            Post::Answer(answers) => Ok(answers),
            Post::Say(error) => Err(error),
            Post::DeliverAndSay(error) => self.inner.send(batch).await.and(Err(error)),
            Post::Hang => {
                self.gate.pass().await;
                self.inner.send(batch).await
            }
            Post::HangAndSay(error) => {
                self.gate.pass().await;
                Err(error)
            }
            Post::DeliverAndHang => {
                let answers = self.inner.send(batch).await;
                self.gate.pass().await;
                answers
            }
        }
    }
}

pub fn busy() -> MailerError {
    MailerError::Busy("throttled".into())
}

pub fn unanswered() -> MailerError {
    MailerError::InDoubt("no answer came".into())
}

struct MailerThen {
    inner: Arc<dyn Mailer>,
    then: Act,
    calls: AtomicUsize,
}

/// Lets something happen between a call to SES and its answer.
pub fn after_mail(sender: &mut Sender, then: Act) {
    let inner = Arc::clone(&sender.mailer);
    sender.mailer = Arc::new(MailerThen { inner, then, calls: AtomicUsize::new(0) });
}

#[async_trait]
impl Mailer for MailerThen {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        let answers = self.inner.send(batch).await;
        (self.then)(self.calls.fetch_add(1, Ordering::Relaxed)).await;
        answers
    }
}
