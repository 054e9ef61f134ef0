// The library of plots with its style, in a part of the build of its own: screens without plots do not load it.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export { uPlot };
