import {
  type Icon,
  IconBalloon,
  IconBolt,
  IconCactus,
  IconCompass,
  IconFingerprint,
  IconFlame,
  IconGhost2,
  IconHeart,
  IconMasksTheater,
  IconMoodHappy,
  IconMoon,
  IconMovie,
  IconMusic,
  IconRocket,
  IconShield,
  IconSparkles,
  IconVideo,
  IconWand,
  IconZoomQuestion,
} from '@tabler/icons-react';
import { memo, useId } from 'react';
import { designPoster, type PosterDesign, type PosterGlyph } from './poster-design.ts';
import classes from './poster.module.css';
import { PosterMotifArt } from './poster-motif.tsx';

const GLYPHS: Record<PosterGlyph, Icon> = {
  bolt: IconBolt,
  compass: IconCompass,
  sparkles: IconSparkles,
  balloon: IconBalloon,
  laugh: IconMoodHappy,
  fingerprint: IconFingerprint,
  camera: IconVideo,
  masks: IconMasksTheater,
  wand: IconWand,
  moon: IconMoon,
  ghost: IconGhost2,
  music: IconMusic,
  search: IconZoomQuestion,
  heart: IconHeart,
  rocket: IconRocket,
  flame: IconFlame,
  shield: IconShield,
  cactus: IconCactus,
  film: IconMovie,
};

interface PosterProps {
  title: string;
  categories: readonly string[];
  /** `tile` for a card, `thumb` for a line of a list. */
  size?: 'tile' | 'thumb';
}

/** A drawn stand-in for an item's picture: decoration, so it is hidden from screen readers. */
export const Poster = memo(function Poster({ title, categories, size = 'tile' }: PosterProps) {
  const id = useId();
  const design = designPoster(title, categories);
  const Glyph = GLYPHS[design.glyph];
  return (
    <span className={classes.poster} data-size={size} aria-hidden="true">
      <svg viewBox="0 0 200 260" preserveAspectRatio="xMidYMid slice">
        <Ground design={design} id={id} />
        <PosterMotifArt motif={design.motif} accent={design.accent} seeds={design.seeds} />
        {size === 'tile' ? <rect width="200" height="260" fill={`url(#${id}-shade)`} /> : null}
      </svg>
      {size === 'tile' ? (
        <>
          <Glyph className={classes.glyph} size={22} stroke={1.6} />
          <span className={classes.initials}>{design.initials}</span>
          <span className={classes.year}>{design.year}</span>
        </>
      ) : (
        <Glyph className={classes.small} size={17} stroke={1.7} />
      )}
    </span>
  );
});

function Ground({ design, id }: { design: PosterDesign; id: string }) {
  return (
    <>
      <defs>
        <linearGradient id={`${id}-ground`} x1="0" y1="0" x2="0.6" y2="1">
          <stop offset="0" stopColor={design.from} />
          <stop offset="1" stopColor={design.to} />
        </linearGradient>
        <linearGradient id={`${id}-shade`} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0.5" stopColor="#000" stopOpacity="0" />
          <stop offset="1" stopColor="#000" stopOpacity="0.55" />
        </linearGradient>
      </defs>
      <rect width="200" height="260" fill={`url(#${id}-ground)`} />
    </>
  );
}
