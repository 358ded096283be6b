import type { PosterDesign, PosterMotif } from './poster-design.ts';

type MotifProps = Pick<PosterDesign, 'accent' | 'seeds'>;

const MOTIFS: Record<PosterMotif, (props: MotifProps) => React.ReactNode> = {
  sun: ({ accent, seeds: [x, y, size] }) => (
    <>
      <circle cx={50 + x * 100} cy={70 + y * 60} r={42 + size * 26} fill={accent} opacity="0.85" />
      <circle cx={50 + x * 100} cy={70 + y * 60} r={66 + size * 30} fill="none" stroke={accent} opacity="0.35" />
      <path d="M0 190 Q100 160 200 196 V260 H0 Z" fill="#000" opacity="0.3" />
    </>
  ),
  waves: ({ accent, seeds: [lift, bend] }) => (
    <>
      {[0, 1, 2, 3, 4].map((row) => {
        const y = 70 + lift * 30 + row * 30;
        const swing = 18 + bend * 22;
        return (
          <path
            key={row}
            d={`M-10 ${y} C40 ${y - swing} 70 ${y + swing} 110 ${y} S180 ${y - swing} 215 ${y} V270 H-10 Z`}
            fill={accent}
            opacity={0.12 + row * 0.05}
          />
        );
      })}
    </>
  ),
  rings: ({ accent, seeds: [x, y] }) => (
    <>
      {[22, 44, 66, 88, 110, 132].map((radius) => (
        <circle
          key={radius}
          cx={40 + x * 120}
          cy={50 + y * 90}
          r={radius}
          fill="none"
          stroke={accent}
          strokeWidth="5"
          opacity={0.75 - radius / 200}
        />
      ))}
    </>
  ),
  hills: ({ accent, seeds: [peak, moon, left] }) => (
    <>
      <circle cx={40 + moon * 120} cy="62" r="17" fill={accent} opacity="0.95" />
      <path d={`M0 210 L${40 + left * 40} 120 L${110 + left * 20} 210 Z`} fill={accent} opacity="0.22" />
      <path d={`M40 230 L${110 + peak * 40} ${90 + left * 40} L210 230 Z`} fill={accent} opacity="0.38" />
      <path d="M0 205 Q60 185 120 205 T200 200 V260 H0 Z" fill="#000" opacity="0.4" />
    </>
  ),
  beams: ({ accent, seeds: [x, turn] }) => (
    <g transform={`rotate(${turn * 60 - 30} 100 130)`}>
      {[0, 1, 2, 3, 4, 5, 6].map((beam) => (
        <rect
          key={beam}
          x={-60 + beam * 46 + x * 20}
          y="-80"
          width={8 + ((beam * 7) % 17)}
          height="440"
          fill={accent}
          opacity={0.14 + (beam % 3) * 0.12}
        />
      ))}
    </g>
  ),
  grid: ({ accent, seeds }) => (
    <>
      {Array.from({ length: 35 }, (_, cell) => {
        const seed = seeds[cell % 4] ?? 0;
        const lit = Math.abs(Math.sin((cell + 1) * (seed * 9 + 1.7)));
        return (
          <circle
            key={cell}
            cx={28 + (cell % 5) * 36}
            cy={30 + Math.floor(cell / 5) * 34}
            r={3 + lit * 11}
            fill={accent}
            opacity={0.15 + lit * 0.55}
          />
        );
      })}
    </>
  ),
  arcs: ({ accent, seeds: [turn, size] }) => (
    <g transform={`rotate(${Math.round(turn * 3) * 90} 100 110)`} fill="none" stroke={accent} strokeWidth="15">
      <path d={`M0 ${110 + size * 20} A100 100 0 0 1 200 ${110 + size * 20}`} opacity="0.7" />
      <path d={`M34 ${110 + size * 20} A66 66 0 0 1 166 ${110 + size * 20}`} opacity="0.5" />
      <path d={`M68 ${110 + size * 20} A32 32 0 0 1 132 ${110 + size * 20}`} opacity="0.35" />
    </g>
  ),
  moons: ({ accent, seeds: [x, y, size] }) => (
    <>
      <circle cx={70 + x * 60} cy={80 + y * 40} r={54 + size * 14} fill={accent} opacity="0.8" />
      <circle cx={100 + x * 60} cy={66 + y * 40} r={52 + size * 14} fill="#000" opacity="0.42" />
      <circle cx={150 - x * 100} cy={40 + y * 20} r="4" fill={accent} />
      <circle cx={170 - x * 60} cy={170 - y * 30} r="3" fill={accent} opacity="0.8" />
    </>
  ),
};

/** The figure on a poster: eight kinds, each placed by the title. */
export function PosterMotifArt({ motif, ...rest }: MotifProps & { motif: PosterMotif }) {
  return MOTIFS[motif](rest);
}
