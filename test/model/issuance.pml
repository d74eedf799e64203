/* The issuance protocol as a Spin model: two replicas, one Lease, one CSR. Steps are named after the functions that perform them.
   A replica may pause between any two steps, crash, and lose any answer; a user may change the CSR at any time.
   Without -DNO_CHECK and -DNO_PRECONDITION both assertions hold. All replicas share one clock: each measures durations only, so
   an offset would change nothing. */

#define NONE 9
#define UNSEEN 255
/* In ticks: the Lease duration (durationMs), and how long its holder may write (TERM in leader-lease.ts). */
#define DURATION 2
#define TERM 1
/* Bounds of the search. */
#define LAST_TICK 3
#define RENEWALS 3

byte now;
/* The Lease: holderIdentity and resourceVersion. */
byte holder = NONE, leaseVersion;
/* The CSR: whether status.certificate is set, its resourceVersion, and how often a certificate was stored. */
bit certificate;
byte csrVersion, stored;
/* Patches sent but not yet received by the API server: they cannot be recalled. */
chan wire = [2] of { byte };
byte inFlight;

#ifdef NO_CHECK
#define mayWrite true
#else
#define mayWrite (now < until)
#endif

active [2] proctype Replica() {
  byte identity = _pid, until, sentAt, read = NONE, readVersion, seenVersion = UNSEEN, mayTakeAt, observed;
  do
  :: leaseVersion < RENEWALS -> /* tryTerm, renewUntilLost: before the request is sent */
    sentAt = now;
    atomic { /* tryAcquire: get; mayTake records when it saw this version */
      read = holder; readVersion = leaseVersion;
      if
      :: read != NONE && read != identity && seenVersion != readVersion -> seenVersion = readVersion; mayTakeAt = now + DURATION
      :: else
      fi
    }
    if
    :: read == NONE || read == identity || now > mayTakeAt ->
      atomic { /* tryAcquire: create or update, with the version that was read */
        if
        :: leaseVersion == readVersion ->
          holder = identity; leaseVersion++;
          if
          :: until = sentAt + TERM /* held: renewedAt */
          :: skip /* unknown: the answer is lost */
          fi
        :: else -> until = 0 /* taken */
        fi
      }
    :: else -> until = 0
    fi;
    atomic { sentAt = 0; read = NONE; readVersion = 0 }
  :: atomic { until > 0 && !certificate -> observed = csrVersion } /* reconcile: observe, decide */
    if
    :: mayWrite -> /* applyIssue: signCertificate may take any time */
      atomic { /* patchStatus: mayStart, as the request is written to its connection */
        if
        :: mayWrite && inFlight < 2 ->
          assert(holder == identity); /* nothing is written without the Lease */
          inFlight++;
          wire ! observed
        :: else
        fi;
        observed = 0
      }
    :: else -> observed = 0
    fi
  :: atomic { until > 0 -> until = 0; if :: holder == identity -> holder = NONE; leaseVersion++ :: else fi } /* release */
  :: atomic { identity == 0 -> identity = 2; until = 0; seenVersion = UNSEEN; mayTakeAt = 0 } /* crash: a new process has a new identity */
  od
}

active proctype ApiServer() {
  byte version;
  do
  :: atomic { wire ? version -> inFlight-- }
    if
#ifdef NO_PRECONDITION
    :: true ->
#else
    :: version == csrVersion ->
#endif
      certificate = 1; csrVersion++; stored++;
      assert(stored == 1) /* at most one certificate is stored */
#ifndef NO_PRECONDITION
    :: else /* conflict: the replica observes again */
#endif
    fi
  od
}

active proctype User() { csrVersion++ }

active proctype Clock() { do :: atomic { now < LAST_TICK -> now++ } od }
