'use client';

import { Button, Group, Modal, NativeSelect, Radio, Stack } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { Role } from '../../src/generated/graphql.ts';
import { Notice } from '../shell/notice.tsx';
import { useSecretDialog } from '../shell/use-secret-dialog.ts';
import { ShownOnce } from '../shell/shown-once.tsx';
import { problemOf } from '../shell/tell-outcome.ts';
import { invitationLink } from './invitation-link.ts';
import { ROLE_NAMES, ROLE_POWERS, rolesGivenBy } from './role-names.ts';

const INVITE = graphql(`
  mutation InviteMember($input: InviteMemberInput!) {
    inviteMember(input: $input) {
      invitation {
        id
        expiresAt
      }
      token
      userErrors {
        message
      }
    }
  }
`);

const HOURS = [
  { value: '24', label: 'A day' },
  { value: '168', label: 'A week' },
  { value: '720', label: '30 days' },
];

interface InviteDialogProps {
  opened: boolean;
  onClose: () => void;
  viewerRole: Role | null;
}

/** Asks as what, then shows the link. */
export function InviteDialog({ viewerRole, ...dialog }: InviteDialogProps) {
  const { modal, secret, setSecret, close } = useSecretDialog({
    ...dialog,
    titles: { ask: 'Invite somebody', show: 'Send this link' },
  });
  return (
    <Modal {...modal}>
      {secret === null ? (
        <InviteForm viewerRole={viewerRole} onInvited={setSecret} onCancel={close} />
      ) : (
        <ShownOnce
          value={invitationLink(window.location.origin, secret)}
          onDone={close}
          testId="invitation-link"
          doneTestId="invitation-done"
        >
          Whoever opens it first joins, once. It is shown this once: only its digest is kept.
        </ShownOnce>
      )}
    </Modal>
  );
}

interface InviteFormProps {
  viewerRole: Role | null;
  onInvited: (token: string) => void;
  onCancel: () => void;
}

function InviteForm({ viewerRole, onInvited, onCancel }: InviteFormProps) {
  const [{ fetching }, invite] = useMutation(INVITE);
  const [role, setRole] = useState<Role>('MEMBER');
  const [hours, setHours] = useState('168');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (): Promise<void> => {
    const input = { role, validHours: Number(hours), idempotencyKey: newIdempotencyKey() };
    const { data, error } = await invite({ input });
    const { token, userErrors } = data?.inviteMember ?? {};
    if (token) onInvited(token);
    else
      setProblem(problemOf({ error, userErrors }) ?? 'The invitation was made before: withdraw it and make another.');
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack gap="md">
        {problem === null ? null : <Notice>{problem}</Notice>}
        <Radio.Group label="As" value={role} onChange={setRole}>
          <Stack gap="sm" mt={6}>
            {rolesGivenBy(viewerRole).map((value) => (
              <Radio key={value} value={value} label={ROLE_NAMES[value]} description={ROLE_POWERS[value]} />
            ))}
          </Stack>
        </Radio.Group>
        <NativeSelect
          label="The link works for"
          value={hours}
          onChange={({ currentTarget }) => setHours(currentTarget.value)}
          data={HOURS}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching} data-testid="invite-submit">
            Make the link
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
