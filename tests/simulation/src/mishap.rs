//! What goes wrong while a history is played.

use crate::bug::Bug;
use crate::history::Who;
use crate::reader::Mishap;
use crate::world::{ENGINE_READER, NOTIFICATION_READER, VIEWS_READER, World};
use chrono::TimeDelta;
use eventlog::bus::Place;

impl World {
    /// Something goes wrong; `readable` are the pages that could be read now.
    pub(crate) fn mishap(&mut self, readable: &[(&'static str, Place)]) {
        let kind = self.chance.place(8);
        match kind {
            0 | 1 => {
                let who = Who::ALL[self.chance.place(3)];
                self.count(&format!("fault: crash of {}", who.name()));
                self.crash(who);
            }
            2 => {
                let (who, events) = (Who::ALL[self.chance.place(3)], self.chance.number() % 6 + 1);
                self.count("fault: relay copies again");
                match who {
                    Who::Invoice => self.invoice.relapse(events),
                    Who::Engine => self.engine.relapse(events),
                    Who::Notification => self.notification.relapse(events),
                }
            }
            3..=5 if !readable.is_empty() => {
                let (name, place) = readable[self.chance.place(readable.len())].clone();
                let mishap = [Mishap::Reordered, Mishap::LostBefore, Mishap::LostAfter][kind - 3];
                let what = ["fault: page reordered", "fault: page lost before it was stored", "fault: page stored and forgotten"][kind - 3];
                self.count(what);
                self.take_page(name, &place, mishap);
            }
            6 => self.zombie(readable),
            _ => {
                self.count("fault: delay");
                self.now += TimeDelta::minutes(self.chance.within(1, 300));
            }
        }
    }

    /// A consumer that was taken for dead: it is remembered as it is now, and comes back later with what it believed then.
    fn zombie(&mut self, readable: &[(&'static str, Place)]) {
        let name = [ENGINE_READER, NOTIFICATION_READER, VIEWS_READER][self.chance.place(3)];
        let Some(zombie) = self.zombies.remove(name) else {
            let copy = self.readers[name].clone();
            self.zombies.insert(name, copy);
            return;
        };
        let Some(place) = self.lagging(name, &zombie).next().cloned() else { return };
        self.say(|| format!("zombie: {name}, while {} pages wait", readable.len()));
        self.count("fault: zombie consumer");
        self.read(zombie, &place, Mishap::None);
    }

    /// A service dies and starts again.
    pub(crate) fn crash(&mut self, who: Who) {
        self.say(|| format!("crash: {}", who.name()));
        match who {
            Who::Invoice => self.invoice.journal.restart(),
            Who::Engine => {
                self.engine.journal.restart();
                let places = self.engine.journal.places(ENGINE_READER);
                self.readers.entry(ENGINE_READER).and_modify(|reader| reader.known = places);
                self.rewind_office();
            }
            Who::Notification => {
                self.notification.journal.restart();
                let places = self.notification.journal.places(NOTIFICATION_READER);
                self.readers.entry(NOTIFICATION_READER).and_modify(|reader| reader.known = places);
                self.drop_lanes();
            }
        }
    }

    /// A service that has come back has started anew.
    pub(crate) fn note_outages(&mut self) {
        let out: Vec<Who> = Who::ALL.into_iter().filter(|who| self.is_out(*who)).collect();
        if out == self.was_out {
            return;
        }
        let before = std::mem::replace(&mut self.was_out, out.clone());
        for who in out.iter().filter(|who| !before.contains(who)) {
            self.count(&format!("outage: {}", who.name()));
            self.say(|| format!("out: {}", who.name()));
        }
        for who in before.into_iter().filter(|who| !out.contains(who)) {
            self.say(|| format!("back: {}", who.name()));
            self.crash(who);
            if self.play.bug == Some(Bug::OutageResends) {
                self.resend_last();
            }
        }
    }
}
