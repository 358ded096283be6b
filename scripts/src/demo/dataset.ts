export interface DemoItem {
  externalId: string;
  title: string;
  categories: string[];
  properties: Record<string, string | number>;
}

export interface DemoRating {
  userExternalId: string;
  itemExternalId: string;
  /** 0.5-5 stars. */
  value: number;
  /** Epoch milliseconds. */
  occurredAt: number;
}

/** What a demo tenant is filled with. */
export interface DemoDataset {
  /** Shown wherever the tenant is, such as `MovieLens ml-latest-small`. */
  source: string;
  /** Whether the viewers were made up. */
  simulated: boolean;
  /** Under which terms the data may be used, in one line. */
  licence: string;
  items: DemoItem[];
  ratings: DemoRating[];
}
