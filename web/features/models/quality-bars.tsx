import { formatLift, formatMetric } from '../../lib/format.ts';
import classes from './quality-bars.module.css';

/** One bar: who, and how well. */
export interface Measured {
  name: string;
  value: number;
}

interface QualityBarsProps {
  label: string;
  model: Measured;
  /** What the model is seen beside; its lift is that over the first. */
  baselines: readonly Measured[];
}

/** One measurement of a model beside its baselines, drawn to the same scale. */
export function QualityBars({ label, model, baselines }: QualityBarsProps) {
  const scale = Math.max(model.value, ...baselines.map(({ value }) => value), Number.MIN_VALUE);
  const [first] = baselines;
  const lift = first === undefined ? null : formatLift(model.value, first.value);
  return (
    <div className={classes.group}>
      <div className={classes.head}>
        <span className={classes.label}>{label}</span>
        {lift === null ? null : (
          <span className={classes.lift} data-better={first !== undefined && model.value >= first.value}>
            {lift}
          </span>
        )}
      </div>
      <Bar {...model} share={model.value / scale} strong />
      {baselines.map(({ name, value }) => (
        <Bar key={name} name={name} value={value} share={value / scale} />
      ))}
    </div>
  );
}

function Bar({ name, value, share, strong = false }: Measured & { share: number; strong?: boolean }) {
  return (
    <div className={classes.row} data-strong={strong}>
      <span className={classes.name}>{name}</span>
      <span className={classes.track} aria-hidden="true">
        <span className={classes.fill} style={{ width: `${Math.max(1, share * 100)}%` }} />
      </span>
      <span className={`${classes.value} numeric`}>{formatMetric(value)}</span>
    </div>
  );
}
