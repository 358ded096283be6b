import classes from './sign-in-page.module.css';

const EPOCHS = 28;
const POINTS = Array.from({ length: EPOCHS }, (_, at) => {
  const learned = 1 - Math.exp(-at / 6.5);
  const wobble = Math.sin(at * 2.1) * 3 + Math.sin(at * 0.7) * 2;
  return [20 + (at * 440) / (EPOCHS - 1), 262 - learned * 196 - wobble * (at > 1 ? 1 : 0)] as const;
});
const LINE = POINTS.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');
const LAST = POINTS.at(-1) ?? [460, 66];

/** The picture beside the form: what a training looks like. It shows no measurement. */
export function SignInShowcase() {
  return (
    <aside className={classes.showcase} aria-hidden="true">
      <div className={classes.art}>
        <svg viewBox="0 0 480 290" className={classes.chart}>
          <defs>
            <linearGradient id="showcase-fill" x1="0" y1="0" x2="0" y2="1">
              <stop offset="0" stopColor="#a5a3f4" stopOpacity="0.35" />
              <stop offset="1" stopColor="#a5a3f4" stopOpacity="0" />
            </linearGradient>
          </defs>
          {[66, 115, 164, 213, 262].map((y) => (
            <line key={y} x1="20" x2="460" y1={y} y2={y} stroke="#fff" strokeOpacity="0.07" />
          ))}
          <line x1="20" x2="460" y1="176" y2="176" stroke="#f0b95b" strokeDasharray="5 6" strokeWidth="1.5" />
          <text x="460" y="167" textAnchor="end" fill="#f0b95b" fontSize="12.5">
            Popularity
          </text>
          <path d={`${LINE} L460 262 L20 262 Z`} fill="url(#showcase-fill)" className={classes.fill} />
          <path d={LINE} pathLength={1} fill="none" stroke="#c3c2f8" strokeWidth="2.5" className={classes.line} />
          <circle cx={LAST[0]} cy={LAST[1]} r="4.5" fill="#fff" className={classes.tip} />
        </svg>
        <p className={classes.claim}>See it learn, epoch by epoch.</p>
        <p className={classes.support}>
          Press Train and watch the curve pass the baseline. Then click a few items and see the recommendations follow,
          each with its reasons.
        </p>
      </div>
    </aside>
  );
}
