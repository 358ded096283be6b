import classes from './trial-curve.module.css';

const WIDTH = 120;
const HEIGHT = 26;

interface TrialCurveProps {
  /** NDCG@10 after each epoch, 0-1. */
  curve: readonly number[];
  /** The ends of the axes, the same for all trials, so that curves compare. */
  epochs: number;
  top: number;
}

/** The course of a trial, small. */
export function TrialCurve({ curve, epochs, top }: TrialCurveProps) {
  if (curve.length === 0) return <span className={classes.none}>–</span>;
  const x = (position: number) => (epochs <= 1 ? WIDTH : (position / (epochs - 1)) * WIDTH);
  const y = (value: number) => HEIGHT - (top <= 0 ? 0 : (value / top) * (HEIGHT - 3)) - 1;
  const points = curve.map((value, position) => `${x(position).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return (
    <svg className={classes.curve} width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <polyline points={points} />
      <circle cx={x(curve.length - 1)} cy={y(curve.at(-1) ?? 0)} r="2" />
    </svg>
  );
}
