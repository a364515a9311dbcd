package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/chart"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func draw(t *testing.T, c chart.Chart) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, c.WriteSVG(&b))
	decoder := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err, "it is well-formed XML")
		}
	}
	return b.String()
}

func sample() chart.Chart {
	return chart.Chart{
		Title: "Latency <over> rate",
		X:     chart.Axis{Label: "messages/s", Log: true},
		Y:     chart.Axis{Label: "latency, ms", Log: true},
		Series: []chart.Series{
			{Name: "parley p50", Points: []chart.Point{{X: 40, Y: 4, Low: 3, High: 5}, {X: 80, Y: 5}, {X: 1280, Y: 60}}},
			{Name: "parley p99", Dashed: true, Points: []chart.Point{{X: 40, Y: 9}, {X: 1280, Y: 95}}},
			{Name: "node & co", Ink: 1, Points: []chart.Point{{X: 40, Y: 20}, {X: 80, Y: 700}}},
			{Name: "bun", Ink: 2, Points: []chart.Point{{X: 40, Y: 15}}},
			{Name: "floor", Ink: 9, Points: []chart.Point{{X: 40, Y: 8}}},
		},
	}
}

func TestChart_WriteSVG(t *testing.T) {
	for name, c := range map[string]chart.Chart{
		"log": sample(),
		"linear": {
			Title: "Memory", X: chart.Axis{Label: "connections"}, Y: chart.Axis{Label: "MiB"},
			Series: []chart.Series{{Name: "parley", Points: []chart.Point{{}, {X: 5000, Y: 30.5}, {X: 10000, Y: 61, Low: 59, High: 64}}}},
		},
		"empty": {Title: "Nothing", X: chart.Axis{Label: "x"}, Y: chart.Axis{Label: "y"}},
	} {
		t.Run(name+" is drawn as in its golden file", func(t *testing.T) {
			got := draw(t, c)
			file := filepath.Join("testdata", name+".svg")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
	t.Run("points that an axis cannot show are left out", func(t *testing.T) {
		c := sample()
		want := draw(t, c)
		c.Series[0].Points = append(c.Series[0].Points, chart.Point{X: 1300, Y: math.NaN()}, chart.Point{X: 1300, Y: math.Inf(1)}, chart.Point{X: 0, Y: 5})
		c.Series = append(c.Series, chart.Series{Name: "nothing", Points: []chart.Point{{X: 40, Y: 0}}})
		assert.Equal(t, want, draw(t, c))
	})
	t.Run("a single point has axes too", func(t *testing.T) {
		for _, log := range []bool{false, true} {
			c := chart.Chart{X: chart.Axis{Log: log}, Y: chart.Axis{Log: log}, Series: []chart.Series{{Points: []chart.Point{{X: 10, Y: 10}}}}}
			got := draw(t, c)
			assert.NotContains(t, got, "NaN")
			assert.Contains(t, got, ">10<")
		}
	})
	t.Run("both schemes have a colour for every ink", func(t *testing.T) {
		got := draw(t, sample())
		light, dark, found := strings.Cut(got, "prefers-color-scheme:dark")
		require.True(t, found)
		for _, ink := range []string{".i0{", ".i1{", ".i2{", ".i3{", ".i4{", ".i5{"} {
			assert.Contains(t, light, ink)
			assert.Contains(t, dark, ink)
		}
	})
}
