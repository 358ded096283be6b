import { formatLift, formatMetric } from '../../lib/format.ts';
import classes from './quality-bars.module.css';

interface QualityBarsProps {
  label: string;
  model: number;
  popularity: number | null;
  modelName?: string;
}

/** One measurement of a model beside recommending the most popular items, drawn to the same scale. */
export function QualityBars({ label, model, popularity, modelName = 'LightGCN' }: QualityBarsProps) {
  const scale = Math.max(model, popularity ?? 0, Number.MIN_VALUE);
  const lift = popularity === null ? null : formatLift(model, popularity);
  return (
    <div className={classes.group}>
      <div className={classes.head}>
        <span className={classes.label}>{label}</span>
        {lift === null ? null : (
          <span className={classes.lift} data-better={popularity !== null && model >= popularity}>
            {lift}
          </span>
        )}
      </div>
      <Bar name={modelName} value={model} share={model / scale} strong />
      {popularity === null ? null : <Bar name="Popularity" value={popularity} share={popularity / scale} />}
    </div>
  );
}

function Bar({ name, value, share, strong = false }: { name: string; value: number; share: number; strong?: boolean }) {
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
