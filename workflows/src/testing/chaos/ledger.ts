import type { TrainingRunId } from '@kindred/domain/ids';
import { type OwnerSession, openOwnerSession } from '@kindred/testing/owner-session';

/** Where a step can be held in the middle of its transaction. */
export type Gate = 'promotion' | 'outbox';

/** Something that has been committed, as it is told: `BUILDING`, `ACTIVE` and the run's id. */
export type Moment = `${'BUILDING' | 'ACTIVE'}:${string}`;

const GATES: Record<Gate, number> = { promotion: 71, outbox: 72 };
const CHANNEL = 'chaos';

const TRIGGERS = `
CREATE TABLE chaos_attempts (id bigserial PRIMARY KEY, run_id uuid NOT NULL, told int, begun_after int);
CREATE FUNCTION chaos_note_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO chaos_attempts (run_id, told) SELECT NEW.id, coalesce(max((body->>'epoch')::int), 0)
    FROM training_events WHERE run_id = NEW.id AND body->>'kind' = 'EPOCH_FINISHED';
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_note_claim AFTER UPDATE OF fence ON training_runs
  FOR EACH ROW EXECUTE FUNCTION chaos_note_claim();
CREATE FUNCTION chaos_note_checkpoint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  UPDATE chaos_attempts SET begun_after = coalesce((NEW.checkpoints->1->>'epoch')::int, 0)
   WHERE run_id = NEW.id AND begun_after IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_note_checkpoint AFTER UPDATE OF checkpoints ON training_runs
  FOR EACH ROW EXECUTE FUNCTION chaos_note_checkpoint();
CREATE FUNCTION chaos_say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_notify('${CHANNEL}', NEW.status::text || ':' || NEW.run_id);
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_say AFTER INSERT OR UPDATE OF status ON model_versions
  FOR EACH ROW WHEN (NEW.algorithm = 'LIGHTGCN' AND NEW.status IN ('BUILDING', 'ACTIVE')) EXECUTE FUNCTION chaos_say();
CREATE FUNCTION chaos_wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::int);
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER chaos_hold_promotion BEFORE UPDATE OF status ON model_versions
  FOR EACH ROW WHEN (NEW.algorithm = 'LIGHTGCN' AND NEW.status = 'ACTIVE') EXECUTE FUNCTION chaos_wait(${GATES.promotion});
CREATE TRIGGER chaos_hold_outbox BEFORE DELETE ON outbox
  FOR EACH ROW EXECUTE FUNCTION chaos_wait(${GATES.outbox});`;

/** Lets the database note what is computed, tell moments, and hold steps where a fault wants them. Once per database. */
export async function installLedger(ownerUrl: string): Promise<void> {
  await using owner = await openOwnerSession(ownerUrl);
  await owner.query(TRIGGERS);
}

/** The epochs of a run that an attempt had told and a later one computed again, each as often as that. */
export async function findRepeatedEpochs(ownerUrl: string, runId: TrainingRunId): Promise<number[]> {
  await using owner = await openOwnerSession(ownerUrl);
  const rows = await owner.query<{ epoch: number }>(
    `SELECT epoch FROM chaos_attempts, generate_series(begun_after + 1, told) epoch WHERE run_id = $1 ORDER BY id, epoch`,
    [runId],
  );
  return rows.map(({ epoch }) => epoch);
}

/** Holds whoever comes to a gate, until it is disposed of. */
export interface HeldGate extends AsyncDisposable {
  /** Whether somebody waits at it now. */
  isReached(): Promise<boolean>;
}

export async function holdGate(ownerUrl: string, gate: Gate): Promise<HeldGate> {
  const owner = await openOwnerSession(ownerUrl);
  await owner.query('SELECT pg_advisory_lock($1)', [GATES[gate]]);
  return {
    isReached: async () => {
      const waiting = await owner.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        [GATES[gate]],
      );
      return waiting.length > 0;
    },
    [Symbol.asyncDispose]: () => owner[Symbol.asyncDispose](),
  };
}

/** Calls `hear` at once when a version of this run comes to be BUILDING or ACTIVE. */
export async function onMoment(
  ownerUrl: string,
  moment: Moment,
  hear: () => void,
): Promise<Pick<OwnerSession, typeof Symbol.asyncDispose>> {
  const owner = await openOwnerSession(ownerUrl);
  await owner.listen(CHANNEL, (payload) => {
    if (payload === moment) hear();
  });
  return owner;
}
