import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';

/**
 * Bounds how many questions are under way: what comes when too many are is refused at once, instead of making all wait.
 * One tenant may take half of the places, so that its crowd leaves room for others.
 */
export interface Admission {
  /**
   * A place for one question until it is disposed of.
   * @throws AppError RATE_LIMITED when there is none: nothing was done, and asking again later is right. TIMEOUT when
   * `deadlineAt` (by `performance.now()`) has passed: nobody waits for the answer.
   */
  enter(tenantId: TenantId, deadlineAt: number | null): Place;
  /** How many are under way. */
  readonly count: number;
}

export interface Place extends Disposable {
  /** @throws AppError TIMEOUT once the deadline has passed. */
  checkDeadline(): void;
}

export interface AdmissionOptions {
  mostQuestions: number;
  now: () => number;
  onRefusal: (reason: 'queue' | 'deadline') => void;
}

export function createAdmission({ mostQuestions, now, onRefusal }: AdmissionOptions): Admission {
  const countOf = new Map<TenantId, number>();
  const mostOfTenant = Math.max(1, Math.ceil(mostQuestions / 2));
  let count = 0;
  const leave = (tenantId: TenantId): void => {
    count -= 1;
    const left = (countOf.get(tenantId) ?? 1) - 1;
    if (left === 0) countOf.delete(tenantId);
    else countOf.set(tenantId, left);
  };
  return {
    get count() {
      return count;
    },
    enter: (tenantId, deadlineAt) => {
      const checkDeadline = (): void => {
        if (deadlineAt === null || now() < deadlineAt) return;
        onRefusal('deadline');
        throw new AppError('TIMEOUT', 'The time for this answer is over; ask again.');
      };
      checkDeadline();
      const own = countOf.get(tenantId) ?? 0;
      if (count >= mostQuestions || own >= mostOfTenant) {
        onRefusal('queue');
        const [got, most] = count >= mostQuestions ? [count, mostQuestions] : [own, mostOfTenant];
        throw new AppError(
          'RATE_LIMITED',
          `${got} questions are under way, the most is ${most}: try again in a moment.`,
        );
      }
      count += 1;
      countOf.set(tenantId, own + 1);
      return { checkDeadline, [Symbol.dispose]: () => leave(tenantId) };
    },
  };
}
