//! Notification's reading of others' facts; planted: it does not hear what stands still.

use eventlog::bus::Message;
use eventlog::consumer::{Inbound, InboundCommand, Poison};
use notification::aggregate::Addressed;
use notification::inbound::Facts;

/// The real reading, with or without the planted bug.
pub struct Deaf {
    /// Planted: holds, disputes, promises and announcements are not heard.
    pub forgets_standstills: bool,
}

impl Inbound<Addressed> for Deaf {
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<Addressed>>, Poison> {
        let mut commands = Facts.commands(message)?;
        commands.retain(|command| !self.forgets_standstills || !matches!(command.command.command, notice::Command::Suspend(_)));
        Ok(commands)
    }
}
