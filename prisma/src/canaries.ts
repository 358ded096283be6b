import type { ArmCounts, CanaryArm, CanarySettings, CanaryStatus } from '@kindred/domain/canary';
import type { ModelVersionId, TenantId, TrainingRunId } from '@kindred/domain/ids';
import { promotionTopic } from '@kindred/domain/training';
import type { Prisma } from './generated/client.ts';
import { appendOutbox } from './outbox.ts';
import type { TenantTx } from './tenants.ts';

/** A version on trial beside the one that answers. */
export interface CanaryRow {
  tenantId: TenantId;
  versionId: ModelVersionId;
  /** The version that answered when the trial began, and answers everybody else. */
  controlId: ModelVersionId;
  status: CanaryStatus;
  sharePercent: number;
  minimumAnswers: number;
  controlAnswers: number;
  controlErrors: number;
  canaryAnswers: number;
  canaryErrors: number;
  /** Why the trial ended as it did, in a sentence; null while it is under way. */
  reason: string | null;
  startedAt: Date;
  endsAt: Date;
  finishedAt: Date | null;
}

/** How a trial ends. */
export interface CanaryEnding {
  status: Exclude<CanaryStatus, 'RUNNING'>;
  reason: string;
}

/** A trial whose workflow is gone is over this long behind its end, whatever its row says. */
const OVERDUE = '10 minutes';

/**
 * Puts a version on trial and notes that serving is to be told; the version's own trial, when it had one already.
 * @returns null while another version of the tenant is on trial.
 */
export async function startCanary(
  tx: TenantTx,
  input: { versionId: ModelVersionId; controlId: ModelVersionId; settings: CanarySettings },
): Promise<CanaryRow | null> {
  const { versionId, controlId, settings } = input;
  const written = await tx.client.$executeRaw`
    INSERT INTO canaries (tenant_id, version_id, control_id, share_percent, minimum_answers, ends_at)
    VALUES (${tx.tenantId}::uuid, ${versionId}::uuid, ${controlId}::uuid, ${settings.sharePercent},
            ${settings.minimumAnswers}, now() + make_interval(mins => ${settings.maximumMinutes}::int))
    ON CONFLICT DO NOTHING`;
  if (written === 1) {
    await appendOutbox(tx, { topic: promotionTopic(tx.tenantId), message: { canaryId: versionId } });
  }
  const [canary] = await findCanaries(tx, [versionId]);
  return canary ?? null;
}

/** Ends a trial that is under way, and notes that serving is to be told; whether this call did. */
export async function endCanary(tx: TenantTx, versionId: ModelVersionId, ending: CanaryEnding): Promise<boolean> {
  return end(tx, { versionId }, ending);
}

/** Ends the trial of a run that ends before it. */
export async function endCanaryOfRun(tx: TenantTx, runId: TrainingRunId, ending: CanaryEnding): Promise<boolean> {
  return end(tx, { version: { runId } }, ending);
}

/** The tenant's trial that is under way. */
export async function findRunningCanary(tx: TenantTx): Promise<CanaryRow | null> {
  const [row] = await tx.client.$queryRaw<{ versionId: ModelVersionId }[]>`
    SELECT version_id AS "versionId" FROM canaries
     WHERE tenant_id = ${tx.tenantId}::uuid AND status = 'RUNNING' AND now() < ends_at + ${OVERDUE}::interval`;
  const [canary] = row === undefined ? [] : await findCanaries(tx, [row.versionId]);
  return canary ?? null;
}

/** The trials of these versions, in no order. */
export async function findCanaries(tx: TenantTx, versionIds: readonly ModelVersionId[]): Promise<CanaryRow[]> {
  const rows = await tx.client.canary.findMany({
    where: { tenantId: tx.tenantId, versionId: { in: [...versionIds] } },
  });
  return rows.map((row) => row as typeof row & CanaryRow);
}

/** Adds what serving has done since it told last; nothing when there is no such trial. */
export async function addCanaryCounts(
  tx: TenantTx,
  versionId: ModelVersionId,
  counts: Record<CanaryArm, Pick<ArmCounts, 'answerCount' | 'errorCount'>>,
): Promise<void> {
  await tx.client.canary.updateMany({
    where: { tenantId: tx.tenantId, versionId },
    data: {
      controlAnswers: { increment: counts.CONTROL.answerCount },
      controlErrors: { increment: counts.CONTROL.errorCount },
      canaryAnswers: { increment: counts.CANARY.answerCount },
      canaryErrors: { increment: counts.CANARY.errorCount },
    },
  });
}

/** An answer that led to a click. */
export interface CanaryClick {
  versionId: ModelVersionId;
  recommendationId: string;
  arm: CanaryArm;
}

/** Counts each answer once, and none of a trial that the tenant does not have or that has ended. */
export async function recordCanaryClicks(tx: TenantTx, clicks: readonly CanaryClick[]): Promise<void> {
  if (clicks.length === 0) {
    return;
  }
  const json = JSON.stringify(
    clicks.map(({ versionId, recommendationId, arm }) => ({
      version: versionId,
      recommendation: recommendationId,
      arm,
    })),
  );
  await tx.client.$executeRaw`
    INSERT INTO canary_clicks (tenant_id, version_id, recommendation_id, arm)
    SELECT c.tenant_id, c.version_id, r.recommendation, r.arm
      FROM jsonb_to_recordset(${json}::jsonb) AS r (version uuid, recommendation uuid, arm canary_arm)
      JOIN canaries c ON c.tenant_id = ${tx.tenantId}::uuid AND c.version_id = r.version AND c.status = 'RUNNING'
     ORDER BY r.version, r.recommendation
    ON CONFLICT DO NOTHING`;
}

/** What both sides of each of these trials have done. */
export async function countCanaries(
  tx: TenantTx,
  canaries: readonly CanaryRow[],
): Promise<Map<ModelVersionId, Record<CanaryArm, ArmCounts>>> {
  const versionIds = canaries.map(({ versionId }) => versionId);
  const rows = await tx.client.$queryRaw<{ versionId: ModelVersionId; arm: CanaryArm; count: number }[]>`
    SELECT version_id AS "versionId", arm, count(*)::int AS count FROM canary_clicks
     WHERE tenant_id = ${tx.tenantId}::uuid AND version_id = ANY (${versionIds}::uuid[]) GROUP BY version_id, arm`;
  const clicks = new Map(rows.map(({ versionId, arm, count }) => [`${versionId} ${arm}`, count]));
  return new Map(
    canaries.map(({ versionId, ...row }) => [
      versionId,
      {
        CONTROL: {
          answerCount: row.controlAnswers,
          clickCount: clicks.get(`${versionId} CONTROL`) ?? 0,
          errorCount: row.controlErrors,
        },
        CANARY: {
          answerCount: row.canaryAnswers,
          clickCount: clicks.get(`${versionId} CANARY`) ?? 0,
          errorCount: row.canaryErrors,
        },
      },
    ]),
  );
}

async function end(tx: TenantTx, which: Prisma.CanaryWhereInput, ending: CanaryEnding): Promise<boolean> {
  const { count } = await tx.client.canary.updateMany({
    where: { ...which, tenantId: tx.tenantId, status: 'RUNNING' },
    data: { ...ending, finishedAt: new Date() },
  });
  if (count > 0) {
    await appendOutbox(tx, { topic: promotionTopic(tx.tenantId), message: {} });
  }
  return count > 0;
}
