import type { TenantId } from '@kindred/domain/ids';
import type { Redis } from 'ioredis';

/** Requests and points of cost. */
export interface Amount {
  requests: number;
  points: number;
}

/** Whose month. */
export interface QuotaKey {
  tenantId: TenantId;
  /** As `2026-11`. */
  month: string;
}

export type Taken = { outcome: 'granted' | 'refused'; amount: Amount } | { outcome: 'unknown' };

/** What tenants have spent of their months, shared by all gateways. All reject when the store does not answer. */
export interface QuotaStore {
  /**
   * Takes what is needed, and of what is wanted beyond that at most a tenth of what is left: the closer the end, the less
   * is taken in advance. Refused, `amount` is what is left. Unknown until `raise` says what was spent.
   */
  take(key: QuotaKey, amounts: { need: Amount; want: Amount; limit: Amount }): Promise<Taken>;
  giveBack(key: QuotaKey, amount: Amount): Promise<void>;
  /** Lets at least this much count as spent: what the ledger knows, after a loss of everything that was here. */
  raise(key: QuotaKey, spent: Amount): Promise<void>;
}

const FIELDS = `local fields = { 'requests', 'points' }\n`;
const TAKE = `${FIELDS}
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'unknown', '0', '0' } end
local left = {}
local refused = false
for i, field in ipairs(fields) do
  left[i] = tonumber(ARGV[4 + i]) - tonumber(redis.call('HGET', KEYS[1], field) or 0)
  if left[i] < tonumber(ARGV[i]) then refused = true end
end
if refused then return { 'refused', string.format('%.0f', left[1]), string.format('%.0f', left[2]) } end
local answer = { 'granted' }
for i, field in ipairs(fields) do
  local granted = math.min(tonumber(ARGV[2 + i]), math.max(tonumber(ARGV[i]), math.floor(left[i] / 10)))
  local text = string.format('%.0f', granted)
  redis.call('HINCRBY', KEYS[1], field, text)
  answer[1 + i] = text
end
return answer
`;
const GIVE_BACK = `${FIELDS}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i, field in ipairs(fields) do redis.call('HINCRBY', KEYS[1], field, '-' .. ARGV[i]) end
return 1
`;
const RAISE = `${FIELDS}
for i, field in ipairs(fields) do
  if tonumber(redis.call('HGET', KEYS[1], field) or -1) < tonumber(ARGV[i]) then redis.call('HSET', KEYS[1], field, ARGV[i]) end
end
redis.call('EXPIRE', KEYS[1], 3456000)
return 1
`;

type Command<Answer> = (keyCount: 1, key: string, ...amounts: number[]) => Promise<Answer>;
interface Commands {
  takeQuota: Command<['granted' | 'refused' | 'unknown', string, string]>;
  giveQuotaBack: Command<number>;
  raiseQuota: Command<number>;
}

/** The spending of months in Redis: lost with it, and raised from the ledger again. */
export function createRedisQuotaStore(redis: Redis): QuotaStore {
  redis.defineCommand('takeQuota', { lua: TAKE });
  redis.defineCommand('giveQuotaBack', { lua: GIVE_BACK });
  redis.defineCommand('raiseQuota', { lua: RAISE });
  const commands = redis as Redis & Commands;
  const nameOf = ({ tenantId, month }: QuotaKey) => `quota:${tenantId}:${month}`;
  const listOf = ({ requests, points }: Amount) => [requests, points];
  return {
    take: async (key, { need, want, limit }) => {
      const amounts = [need, want, limit].flatMap(listOf);
      const [outcome, requests, points] = await commands.takeQuota(1, nameOf(key), ...amounts);
      if (outcome === 'unknown') return { outcome };
      return { outcome, amount: { requests: Number(requests), points: Number(points) } };
    },
    giveBack: async (key, amount) => void (await commands.giveQuotaBack(1, nameOf(key), ...listOf(amount))),
    raise: async (key, spent) => void (await commands.raiseQuota(1, nameOf(key), ...listOf(spent))),
  };
}
