const YEAR = /\s*\((\d{4})\)\s*$/;
const ARTICLE = /^(.*), (The|A|An)$/;

export interface SplitTitle {
  name: string;
  year: string | null;
}

/** A catalogue title in reading order: `Matrix, The (1999)` is `The Matrix` of `1999`. */
export function splitTitle(title: string): SplitTitle {
  const year = YEAR.exec(title)?.[1] ?? null;
  const bare = title.replace(YEAR, '').trim();
  const moved = ARTICLE.exec(bare);
  const name = moved ? `${moved[2]} ${moved[1]}` : bare;
  return { name: name === '' ? title : name, year };
}
