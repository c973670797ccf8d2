//! Timetables of other programs brought in: as sessions of a schedule, or as blocked time of a resource.
//!
//! A file is taken whole or not at all, in one command. An event is known again by its UID, so that the same file, or a
//! newer one, can be read again: what is new in it is made, what changed follows, and what is no longer in an event that
//! is goes. Events that aren't in the file are left alone, or go if that is asked for.

mod blocks;
mod known;
mod refused;
mod sessions;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use known::Known;
pub use refused::InTheWay;

use crate::{
    domain::{
        Rejection,
        icalendar::{Timetable, Unreadable},
        ids::{ResourceId, ScheduleId, SiteId},
        permission::Permission,
        time::ZoneName,
    },
    service::{Caller, Error, Service, access},
    store::{
        Command, Failure, Tx,
        imports::{self, Made},
    },
};

/// What a timetable becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportInto {
    /// Sessions of a class or a course's run.
    Sessions(ScheduleId),
    /// Times in which a resource can't be booked.
    BlockedTime(ResourceId),
}

/// A file that is to be brought in.
#[derive(Debug, Clone)]
pub struct Import {
    /// The file's bytes.
    pub file: Vec<u8>,
    /// What it becomes.
    pub into: ImportInto,
    /// Whether bookings and sessions may be in blocked time.
    pub allow_overlap: bool,
    /// Whether only to say what would come of it.
    pub dry_run: bool,
    /// Whether what earlier files brought here and this one hasn't goes, as far as it is still to come.
    pub remove_missing: bool,
}

/// What came of a file. Events that repeat count once as sessions, and each of their times as blocked time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// What was made.
    pub new: usize,
    /// What is different from before, and follows.
    pub changed: usize,
    /// What is no longer there, and goes.
    pub gone: usize,
    /// What is as it was.
    pub left: usize,
    /// Sessions or blocked times that were made.
    pub made: usize,
    /// What was left out because it is cancelled.
    pub cancelled: usize,
    /// What was left out because it is over.
    pub over: usize,
    /// What was left out because it takes no time.
    pub timeless: usize,
    /// What was left out because one is free in it, and for longer than is shown. Blocked time only.
    pub transparent: usize,
    /// What was left out because the file has a newer version of it, or the same once more.
    pub superseded: usize,
    /// What earlier files brought here and this one hasn't, and stays.
    pub missing: usize,
}

/// Why a file isn't brought in. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be understood.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// An event of it was refused.
    #[error("{}", refused::told(*line, rejection, bookings))]
    Refused {
        /// Where the event begins, from 1; 0 if it isn't in the file any more.
        line: usize,
        /// Why.
        rejection: Rejection,
        /// The bookings in the way, if it is because of them.
        bookings: Vec<InTheWay>,
    },
    /// The act itself.
    #[error(transparent)]
    Failed(#[from] Error),
}

struct Run {
    caller: Caller,
    timetable: Arc<Timetable>,
    import: Import,
    /// Where the event begins that is being read: what a refusal is about. Of the last run it is the one that counts.
    line: Arc<AtomicUsize>,
    /// The bookings that are in the way of it.
    bookings: Arc<Mutex<Vec<InTheWay>>>,
}

impl Run {
    /// Says which event comes now.
    fn at(&self, line: usize) {
        self.line.store(line, Ordering::Relaxed);
    }

    async fn bring_in(&self, tx: &mut Tx<'_>) -> Result<Imported, Failure> {
        let mut known = Known::read(tx, self.import.into, &self.timetable).await?;
        let brought = match self.import.into {
            ImportInto::Sessions(schedule) => self.sessions(tx, schedule, &mut known).await,
            ImportInto::BlockedTime(resource) => self.blocks(tx, resource, &mut known).await,
        };
        if let Err(Failure::Rejected(rejection)) = &brought {
            let bookings = refused::in_the_way(tx, rejection).await?;
            *self.bookings.lock().unwrap_or_else(PoisonError::into_inner) = bookings;
        }
        brought?;
        Ok(known.imported)
    }

    /// What goes because the file hasn't got it: what is no longer in its events, and what earlier files had, if that is
    /// asked for. Forgotten with this.
    async fn gone(&self, tx: &mut Tx<'_>, known: &mut Known) -> Result<Vec<Made>, Failure> {
        self.at(0);
        let site = tx.site();
        let mut gone = known.gone(tx).await?;
        for record in known.missing(tx).await? {
            if self.import.remove_missing {
                imports::forget(tx.conn(), site, &record).await?;
                gone.push(record.made);
            } else {
                known.imported.missing += 1;
            }
        }
        Ok(gone)
    }
}

impl Command for Run {
    type Output = Imported;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Imported, Failure> {
        self.at(0);
        self.bookings.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if !self.import.dry_run {
            return self.bring_in(tx).await;
        }
        // All of it, and back: that is the one way to know what would be refused.
        let savepoint = tx.savepoint().await?;
        let imported = self.bring_in(tx).await?;
        tx.undo(savepoint).await?;
        Ok(imported)
    }
}

impl Service {
    /// Brings a calendar file in, whole or not at all.
    pub async fn import(&self, caller: &Caller, import: Import) -> Result<Imported, ImportError> {
        let permission = match import.into {
            ImportInto::Sessions(_) => Permission::ManageCatalog,
            ImportInto::BlockedTime(_) => Permission::ManageCalendar,
        };
        access::require(permission, caller)?;
        let site = self.site(caller).await?;
        let zone = site.map_or_else(ZoneName::utc, |site| site.time_zone);
        let timetable = Timetable::read(&import.file, &zone).map_err(ImportError::Unreadable)?;
        let line = Arc::new(AtomicUsize::new(0));
        let bookings = Arc::new(Mutex::new(Vec::new()));
        let run = Run {
            caller: caller.clone(),
            timetable: Arc::new(timetable),
            import,
            line: line.clone(),
            bookings: bookings.clone(),
        };
        self.db.write(run).await.map_err(|failure| {
            let line = line.load(Ordering::Relaxed);
            let bookings = std::mem::take(&mut *bookings.lock().unwrap_or_else(PoisonError::into_inner));
            match failure {
                Failure::Rejected(rejection) if line > 0 || !bookings.is_empty() => ImportError::Refused {
                    line,
                    rejection,
                    bookings,
                },
                failure => ImportError::Failed(failure.into()),
            }
        })
    }
}
