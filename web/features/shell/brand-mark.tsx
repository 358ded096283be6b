/** Kindred's mark: two people, two things, and what ties them. */
export function BrandMark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#5f5be0" />
      <path
        d="M10.5 10.500v11M10.5 16l11-5.500M10.5 16l11 5.5"
        stroke="#fff"
        strokeOpacity="0.55"
        strokeWidth="2"
        strokeLinecap="round"
        fill="none"
      />
      <circle cx="10.5" cy="10" r="2.6" fill="#fff" />
      <circle cx="10.5" cy="22" r="2.6" fill="#fff" />
      <circle cx="21.8" cy="10.5" r="2.6" fill="#fff" />
      <circle cx="21.8" cy="21.5" r="2.6" fill="#fff" />
    </svg>
  );
}
