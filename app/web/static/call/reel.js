export function bindReel() {}
