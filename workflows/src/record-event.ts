import type { Db } from '@kindred/db/client';
import { withTenant, type TenantTx } from '@kindred/db/tenants';
import { appendTrainingEvent } from '@kindred/db/training-events';
import { findTrainingRuns } from '@kindred/db/training-runs';
import type { TenantId, TrainingRunId } from '@kindred/domain/ids';
import { trainingTopic, type TrainingEventBody } from '@kindred/domain/training';
import type { EventBus } from '@kindred/service/event-bus';
import type { Logger } from '@kindred/service/logger';
import { requireOpen } from './open-run.ts';

export interface EventDeps {
  db: Db;
  events: EventBus;
  logger: Logger;
}

/** Whose run an event belongs to. */
export interface RunRef {
  tenantId: TenantId;
  runId: TrainingRunId;
}

/** An event to be: `dedupeKey` names what happened, such as `epoch:12`, so that an attempt that repeats it adds nothing. */
export interface EventDraft {
  dedupeKey: string;
  body: TrainingEventBody;
}

/**
 * Stores an event together with `change` in one transaction, then publishes it. A step that was interrupted between the
 * two is healed by its readers, who look into the database now and then.
 * @throws RunClosed when the run has ended; nothing is stored then.
 */
export async function recordEvent(
  deps: EventDeps,
  { tenantId, runId, dedupeKey, body }: RunRef & EventDraft,
  change: (tx: TenantTx) => Promise<unknown> = async () => {},
): Promise<void> {
  const event = await withTenant(deps.db, tenantId, async (tx) => {
    await change(tx);
    const appended = await appendTrainingEvent(tx, { runId, dedupeKey, at: Date.now(), body });
    // The append has locked the run's row: nothing comes behind its end, not even from an attempt that was given up.
    const [run] = body.kind === 'FINISHED' ? [] : await findTrainingRuns(tx, [runId]);
    if (run !== undefined) {
      requireOpen(run);
    }
    return appended;
  });
  if (event !== null) {
    await announce(deps, trainingTopic(tenantId, runId), event);
  }
}

/** Publishes to whoever listens. Without Redis the work goes on: the database holds what was to be said. */
export async function announce(
  { events, logger }: Pick<EventDeps, 'events' | 'logger'>,
  topic: string,
  message: unknown,
): Promise<void> {
  try {
    await events.publish(topic, JSON.stringify(message));
  } catch (cause) {
    logger.warn({ err: cause, topic }, 'A live event was not published; its readers find it in the database.');
  }
}
