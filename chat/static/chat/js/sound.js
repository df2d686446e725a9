// A short sound of two notes, made here: there is no file to load.

const NOTES = [660, 880];
const SECONDS = 0.12;

export function chime() {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.gain.value = 0.06;
  volume.connect(context.destination);
  NOTES.forEach((frequency, index) => {
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(volume);
    note.start(context.currentTime + index * SECONDS);
    note.stop(context.currentTime + (index + 1) * SECONDS);
  });
  setTimeout(() => context.close(), 1_000);
}
