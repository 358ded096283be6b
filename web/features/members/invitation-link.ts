/** The page that an invitation is taken on. The token stands behind the `#`, which browsers send to nobody. */
export function invitationLink(origin: string, token: string): string {
  return `${origin}/join#${encodeURIComponent(token)}`;
}

/** The token in the fragment of such a link; null when there is none. */
export function readInvitation(fragment: string): string | null {
  const text = fragment.replace(/^#/, '');
  if (!/^[\w%.-]+$/.test(text)) return null;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
