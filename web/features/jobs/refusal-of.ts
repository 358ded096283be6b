interface ErrorBody {
  errors?: readonly { message?: unknown }[];
}

/** Why a file was not taken or given, for people; null of an answer is none at all. */
export async function refusalOf(response: Response | null): Promise<string> {
  if (response === null) return 'The API did not answer. Check the connection and try again.';
  const body = (await response.json().catch(() => null)) as ErrorBody | null;
  const message = body?.errors?.[0]?.message;
  return typeof message === 'string' ? message : `The API answered with status ${response.status}.`;
}
