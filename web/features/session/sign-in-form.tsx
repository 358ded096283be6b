'use client';

import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useMutation } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { Notice } from '../shell/notice.tsx';
import { problemText } from '../shell/problem.tsx';
import { useSessionStore } from './session-provider.tsx';

const SIGN_IN = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      session {
        accessToken
        expiresAt
        refreshToken
        refreshExpiresAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

// The API words both cases alike, so that nobody learns which addresses have an account.
const WRONG_CREDENTIALS = 'No account has this e-mail address and password. Check both and try again.';

const NOT_KEPT = 'You are who you say, but the session could not be kept. Try again.';

function useSignIn() {
  const store = useSessionStore();
  const [{ fetching }, signIn] = useMutation(SIGN_IN);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: '', password: '' },
    validate: {
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'Enter the e-mail address of your account.'),
      password: (value) => (value === '' ? 'Enter your password.' : null),
    },
  });

  const submit = async ({ email, password }: { email: string; password: string }): Promise<void> => {
    setProblem(null);
    const { data, error } = await signIn({ input: { email: email.trim(), password } });
    if (error) return setProblem(problemText(error));
    const { session, userErrors } = data?.signIn ?? { session: null, userErrors: [] };
    if (session) return store.open(session).catch(() => setProblem(NOT_KEPT));
    const wrong = userErrors.some(({ code }) => code === 'INVALID');
    setProblem(
      wrong ? WRONG_CREDENTIALS : userErrors.map(({ message }) => message).join(' ') || 'You could not be signed in.',
    );
  };
  return { form, submit, problem, fetching };
}

export function SignInForm() {
  const { form, submit, problem, fetching } = useSignIn();
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem === null ? null : <Notice testId="sign-in-problem">{problem}</Notice>}
        <TextInput
          label="E-mail"
          type="email"
          size="md"
          autoComplete="username"
          autoFocus
          key={form.key('email')}
          {...form.getInputProps('email')}
          data-testid="sign-in-email"
        />
        <PasswordInput
          label="Password"
          size="md"
          autoComplete="current-password"
          key={form.key('password')}
          {...form.getInputProps('password')}
          data-testid="sign-in-password"
        />
        <Button type="submit" size="md" loading={fetching} fullWidth mt="xs" data-testid="sign-in-submit">
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
