/** `1 task`, `2 tasks`; `many` where it is not the word with an s. Pure. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
