/** A request for many sensors has to be confirmed: the user types the number of sensors. Pure. */

/** Above this number of sensors the console asks for it, and so does the command line on a terminal. */
export const CONFIRM_ABOVE = 25;

/** Whether the text is the number of sensors, with or without separators: `3037`, `3,037`. */
export const isNumberTyped = (text: string, sensors: number): boolean => text.replace(/[\s,]/g, '') === String(sensors);
