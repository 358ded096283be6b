const ACTION_NAMES: Readonly<Record<string, string>> = {
  openSession: 'Signed in',
  createApiKey: 'Created an API key',
  rotateApiKey: 'Rotated an API key',
  revokeApiKey: 'Revoked an API key',
  inviteMember: 'Invited somebody',
  revokeInvitation: 'Withdrew an invitation',
  acceptInvitation: 'Joined by an invitation',
  changeMemberRole: 'Changed a role',
  removeMember: 'Removed a member',
  enterTenant: 'Looked into the tenant',
  changePlan: 'Changed the plan',
  createWebhook: 'Created a webhook',
  rotateWebhookSecret: 'Rotated the secret of a webhook',
  enableWebhook: 'Enabled a webhook',
  disableWebhook: 'Disabled a webhook',
  deleteWebhook: 'Deleted a webhook',
  exportUserData: 'Asked for a copy of a user’s data',
  eraseUser: 'Asked to forget a user',
  sealErasure: 'Closed the receipt of an erasure',
  setRetention: 'Changed how long data are kept',
  pruneAuditLog: 'Deleted what the audit log no longer keeps',
  publishDocuments: 'Published documents',
  withdrawDocuments: 'Withdrew published documents',
};

/** What was done, in words; an action that is newer than this page by its own name. */
export function actionName(action: string): string {
  return ACTION_NAMES[action] ?? action;
}

/** The details of an event as `name: value` texts; what is no JSON object as it is. */
export function detailTexts(details: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(details);
  } catch (error) {
    if (error instanceof SyntaxError) return [details];
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [details];
  return Object.entries(value).map(
    ([name, part]) => `${name}: ${typeof part === 'string' ? part : JSON.stringify(part)}`,
  );
}
