import { formatDateTime } from '../../lib/format.ts';
import type { WebhookDisabledReason } from '../../src/generated/graphql.ts';
import { StatusPill } from '../shell/status-pill.tsx';

const REASONS: Readonly<Record<WebhookDisabledReason, string>> = {
  GONE: 'The target said 410 Gone',
  FAILING: 'The target took nothing for more than a day',
};

interface WebhookStateProps {
  disabledAt?: string | null | undefined;
  disabledReason?: WebhookDisabledReason | null | undefined;
}

export function WebhookState({ disabledAt, disabledReason }: WebhookStateProps) {
  if (!disabledAt) return <StatusPill tone="good" label="Works" testId="webhook-state" />;
  const reason = disabledReason ? `${REASONS[disabledReason]}, ` : '';
  const title = `${reason}${formatDateTime(disabledAt)}`;
  return <StatusPill tone="bad" label="Disabled" title={title} testId="webhook-state" />;
}
