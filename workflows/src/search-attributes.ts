import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What operators search trainings by in Temporal's own interface; ids are those of the database, as in the workflow's id. */
export const SEARCH_ATTRIBUTES = {
  tenant: defineSearchAttributeKey('KindredTenant', SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey('KindredModel', SearchAttributeType.KEYWORD),
  /** A `TrainingRunStatus`, or `PAUSED` or `STOPPING` of one that is under way. */
  status: defineSearchAttributeKey('KindredStatus', SearchAttributeType.KEYWORD),
} as const;
