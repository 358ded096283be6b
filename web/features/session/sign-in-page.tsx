'use client';

import { useRouter } from 'next/navigation';
import { useEffect } from 'react';
import { pathAfterSignIn } from '../../lib/session-store.ts';
import { BrandMark } from '../shell/brand-mark.tsx';
import { useSession, useSessionStore } from './session-provider.tsx';
import { SignInForm } from './sign-in-form.tsx';
import classes from './sign-in-page.module.css';
import { SignInShowcase } from './sign-in-showcase.tsx';

export function SignInPage() {
  const session = useSession();
  const store = useSessionStore();
  const router = useRouter();

  useEffect(() => {
    if (!session) return;
    router.replace(pathAfterSignIn(new URLSearchParams(window.location.search).get('next')));
  }, [session, router]);

  return (
    <div className={classes.page}>
      <main className={classes.form}>
        <div className={classes.inner}>
          <div className={classes.brand}>
            <BrandMark size={34} />
            <span>Kindred</span>
          </div>
          <h1 className={classes.title}>Sign in</h1>
          <p className={classes.lead}>Train, watch and try your recommenders.</p>
          {session === null && store.lastEnd() === 'expired' ? (
            <p className={classes.notice} role="status" data-testid="session-notice">
              Your session has ended. Sign in again to go on where you were.
            </p>
          ) : null}
          <SignInForm />
        </div>
      </main>
      <SignInShowcase />
    </div>
  );
}
