/** When a trial that looks bad is ended before its last step; steps count from 1. */
export type StoppingRule =
  | { readonly kind: 'none' }
  /**
   * At steps >= `graceSteps`, ends a trial whose best value so far is below the median of what the finished and ended trials
   * had on average up to that step, once there are `leastTrials` (Golovin et al. 2017, section 3.2.2: Google Vizier).
   */
  | { readonly kind: 'median'; readonly graceSteps: number; readonly leastTrials: number }
  /**
   * At steps first, first * factor, first * factor^2 ... goes on only with a trial that is among the best 1 / factor of all
   * that came so far: successive halving (Jamieson and Talwalkar 2016) in the form of Li et al. 2020 (ASHA) that decides at
   * once, so that one trial at a time holds memory. The first `factor` - 1 trials to reach a step pass.
   */
  | { readonly kind: 'halving'; readonly firstStep: number; readonly factor: number };

/** The values of a trial at its steps, by which others are judged. */
export type Curve = readonly number[];

/** @throws RangeError for a rule whose numbers are outside their range. */
export function checkRule(rule: StoppingRule): void {
  const isWhole = (value: number, least: number) => Number.isInteger(value) && value >= least;
  const sound =
    rule.kind === 'none' ||
    (rule.kind === 'median' && isWhole(rule.graceSteps, 1) && isWhole(rule.leastTrials, 1)) ||
    (rule.kind === 'halving' && isWhole(rule.firstStep, 1) && isWhole(rule.factor, 2));
  if (!sound) throw new RangeError(`No such stopping rule: ${JSON.stringify(rule)}.`);
}

/** Whether a trial with this curve is to be ended now; `others` are the curves of all trials before it. Higher is better. */
export function isHopeless(rule: StoppingRule, curve: Curve, others: readonly Curve[]): boolean {
  if (rule.kind === 'median') return isBelowMedian(rule, curve, others);
  return rule.kind === 'halving' && isOutsideBest(rule, curve, others);
}

function isBelowMedian(rule: { graceSteps: number; leastTrials: number }, curve: Curve, others: readonly Curve[]) {
  const step = curve.length;
  const reached = others.filter((other) => other.length >= step);
  if (step < rule.graceSteps || reached.length < rule.leastTrials) return false;
  const means = reached.map((other) => other.slice(0, step).reduce((sum, value) => sum + value, 0) / step);
  const rising = means.toSorted((a, b) => a - b);
  const middle = rising.length / 2;
  const median = ((rising[Math.ceil(middle) - 1] as number) + (rising[Math.floor(middle)] as number)) / 2;
  return Math.max(...curve) < median;
}

function isOutsideBest(rule: { firstStep: number; factor: number }, curve: Curve, others: readonly Curve[]) {
  const step = curve.length;
  let rung = rule.firstStep;
  while (rung < step) rung *= rule.factor;
  if (rung !== step) return false;
  const bestTo = (values: Curve) => Math.max(...values.slice(0, step));
  const reached = others.filter((other) => other.length >= step).map(bestTo);
  const places = Math.floor((reached.length + 1) / rule.factor);
  const own = bestTo(curve);
  return places > 0 && reached.filter((value) => value > own).length >= places;
}
