/** When a person has to type how many sensors something is for, before it is done. Pure. */

/** Above so many sensors the console asks for the number, and so does the command line on a terminal. */
export const CONFIRM_ABOVE = 25;

/** Whether the text is this number, with or without separators: `3037`, `3,037`. */
export const isNumberTyped = (text: string, sensors: number): boolean => text.replace(/[\s,]/g, '') === String(sensors);
