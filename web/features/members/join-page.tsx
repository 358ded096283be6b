'use client';

import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useRouter } from 'next/navigation';
import { useState, useSyncExternalStore } from 'react';
import { useMutation } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import type { AcceptInvitationInput } from '../../src/generated/graphql.ts';
import { useSession, useSessionStore } from '../session/session-provider.tsx';
import { BrandMark } from '../shell/brand-mark.tsx';
import { Notice } from '../shell/notice.tsx';
import { problemOf } from '../shell/tell-outcome.ts';
import { readInvitation } from './invitation-link.ts';
import classes from './join-page.module.css';

const ACCEPT = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      session {
        accessToken
        expiresAt
        refreshToken
        refreshExpiresAt
      }
      userErrors {
        message
      }
    }
  }
`);

function onFragment(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** Where an invitation's link leads: the signed-in account joins, or a new one. */
export function JoinPage() {
  const session = useSession();
  const fragment = useSyncExternalStore(
    onFragment,
    () => window.location.hash,
    () => null,
  );
  const token = readInvitation(fragment ?? '');
  const { accept, problem, fetching } = useAccept(token ?? '');
  const isKnown = fragment !== null && session !== undefined;
  return (
    <main className={classes.page}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <BrandMark size={34} />
          <span>Kindred</span>
        </div>
        <h1 className={classes.title}>Join a tenant</h1>
        {problem === null ? null : <Notice testId="join-problem">{problem}</Notice>}
        {isKnown && token === null ? <Notice>This link holds no invitation. Ask for it again.</Notice> : null}
        {isKnown && token !== null ? (
          session ? (
            <Button size="md" fullWidth loading={fetching} onClick={() => void accept()} data-testid="join-as-account">
              Join with the account that is signed in
            </Button>
          ) : (
            <NewAccountForm fetching={fetching} onSubmit={(newAccount) => void accept(newAccount)} />
          )
        ) : null}
      </div>
    </main>
  );
}

function useAccept(token: string) {
  const store = useSessionStore();
  const router = useRouter();
  const [{ fetching }, run] = useMutation(ACCEPT);
  const [problem, setProblem] = useState<string | null>(null);
  const accept = async (newAccount?: AcceptInvitationInput['newAccount']): Promise<void> => {
    const { data, error } = await run({ input: { token, ...(newAccount && { newAccount }) } });
    const { session, userErrors } = data?.acceptInvitation ?? {};
    if (!session) return setProblem(problemOf({ error, userErrors }) ?? 'Nobody joined.');
    await store.open(session).then(
      () => router.replace('/'),
      () => setProblem('You have joined, but the session could not be kept. Sign in.'),
    );
  };
  return { accept, problem, fetching };
}

type NewAccount = NonNullable<AcceptInvitationInput['newAccount']>;

function NewAccountForm({ fetching, onSubmit }: { fetching: boolean; onSubmit: (account: NewAccount) => void }) {
  const form = useForm<NewAccount>({
    mode: 'uncontrolled',
    initialValues: { displayName: '', email: '', password: '' },
    validate: {
      displayName: (value) => (value.trim() === '' ? 'Say how to greet you.' : null),
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'Enter your e-mail address.'),
      password: (value) => (value.length < 12 ? 'Choose at least 12 characters.' : null),
    },
  });
  return (
    <form onSubmit={form.onSubmit(onSubmit)} noValidate>
      <Stack gap="md">
        <TextInput
          label="Name"
          autoComplete="name"
          key={form.key('displayName')}
          {...form.getInputProps('displayName')}
          data-testid="join-name"
        />
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          key={form.key('email')}
          {...form.getInputProps('email')}
          data-testid="join-email"
        />
        <PasswordInput
          label="Password"
          autoComplete="new-password"
          key={form.key('password')}
          {...form.getInputProps('password')}
          data-testid="join-password"
        />
        <Button type="submit" size="md" loading={fetching} data-testid="join-submit">
          Create the account and join
        </Button>
        <p className={classes.hint}>You have an account already? Sign in first, then open the link again.</p>
      </Stack>
    </form>
  );
}
