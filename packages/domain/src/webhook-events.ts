/**
 * What a tenant's webhooks tell, by type, and what an event of the type holds: global ids and states, never a person's name
 * or address, so that an event that was told need not be taken back.
 */
export interface WebhookEventData {
  'training_run.succeeded': TrainingRunEnded;
  'training_run.failed': TrainingRunEnded & { failure: string | null };
  'training_run.cancelled': TrainingRunEnded;
  'model_version.promoted': VersionAnswers;
  'model_version.rolled_back': VersionAnswers;
  'import.finished': ImportEnded;
  'api_key.created': ApiKeyChanged;
  'api_key.revoked': ApiKeyChanged;
  'member.joined': MemberChanged & { role: string };
  'member.role_changed': MemberChanged & { role: string };
  'member.removed': MemberChanged;
  /** Sent to one webhook, by a person who tries it. */
  'webhook.test': { webhookId: string };
}

export type WebhookEventType = keyof WebhookEventData;

interface TrainingRunEnded {
  trainingRunId: string;
  modelId: string;
}

interface VersionAnswers {
  modelVersionId: string;
  modelId: string;
  number: number;
}

interface ImportEnded {
  importId: string;
  status: string;
  rowCount: number;
  writtenCount: number;
  failedCount: number;
}

interface ApiKeyChanged {
  apiKeyId: string;
  name: string;
  kind: string;
}

interface MemberChanged {
  accountId: string;
}
